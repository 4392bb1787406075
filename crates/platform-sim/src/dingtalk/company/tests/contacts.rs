use super::*;

#[test]
fn events_of_contacts_carry_ids_only() {
    let mut company = Company::new(CompanyOptions::default());
    let (department, events) = company.create_department("一车间", ROOT).expect("it is made");
    assert_eq!((events[0].kind.as_str(), &events[0].data), ("org_dept_create", &json!({"deptId": [department]})));
    let (userid, events) = company.hire(NewMember::in_departments(&[department])).expect("somebody");
    assert_eq!(events[0].data["userId"], json!([userid]));
    let told: i64 = events[0].data["timeStamp"].as_str().expect("a text").parse().expect("a number");
    assert!(told < events[0].born_ms);
    assert!(!events[0].data.to_string().contains(&company.member(&userid).expect("a member").name));
    assert_eq!(company.raised().len(), 2);
}

#[test]
fn a_change_tells_what_differs_but_not_the_departments_and_a_portrait_tells_nothing() {
    let mut company = company();
    let change = |member: &mut Member| {
        "张三丰".clone_into(&mut member.name);
        "8001".clone_into(&mut member.telephone);
    };
    let before = company.member("user0003").expect("a member").name.clone();
    let events = company.update_member("user0003", change).expect("it changes");
    let diff = match &events[0].data["diffInfo"] {
        Value::Array(diffs) => diffs[0].clone(),
        diff => diff.clone(),
    };
    let expected =
        json!({"prev": {"name": before}, "curr": {"name": "张三丰", "telephone": "8001"}, "userid": "user0003"});
    assert_eq!(diff, expected);
    let events = company.update_member("user0003", |member| "x".clone_into(&mut member.avatar)).expect("it changes");
    assert!(events.is_empty());
    let events = company.move_member("user0003", &[ROOT]).expect("it moves");
    assert_eq!(kinds(&events), ["user_modify_org"]);
    assert!(!events[0].data["diffInfo"].to_string().contains("epartment"));
}

#[test]
fn who_leaves_takes_the_references_along_and_can_come_back() {
    let mut company = company();
    let (boss, _events) = company.hire(NewMember::in_departments(&[ROOT])).expect("somebody");
    let (worker, _events) =
        company.hire(NewMember { manager: boss.clone(), ..NewMember::in_departments(&[ROOT]) }).expect("somebody");
    company.set_managers(ROOT, &[&boss]).expect("it is led");
    let events = company.leave(&boss).expect("it leaves");
    assert_eq!(kinds(&events), ["org_dept_modify", "user_modify_org", "user_leave_org"]);
    assert_eq!(company.member(&worker).expect("a member").manager, "");
    assert!(company.department(ROOT).expect("the root").managers.is_empty());
    assert!(company.former().contains(&boss));
    let again = NewMember { userid: Some(boss.clone()), ..NewMember::in_departments(&[ROOT]) };
    company.hire(again.clone()).expect("it comes back");
    assert!(!company.former().contains(&boss));
    assert_eq!(company.hire(again), Err(Illegal::IdTaken(boss)));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut company = Company::new(CompanyOptions::default());
    let (above, _events) = company.create_department("上", ROOT).expect("it is made");
    let (below, _events) = company.create_department("下", above).expect("it is made");
    assert_eq!(company.move_department(above, below), Err(Illegal::Cycle(above)));
    assert_eq!(company.remove_department(above), Err(Illegal::NotEmpty(above)));
    assert_eq!(company.remove_department(ROOT), Err(Illegal::Root));
    assert_eq!(company.rename_department(7, "x"), Err(Illegal::UnknownDepartment(7)));
    assert_eq!(company.hire(NewMember::default()).err(), Some(Illegal::Nowhere("user0001".to_owned())));
    assert_eq!(kinds(&company.remove_department(below).expect("it goes")), ["org_dept_remove"]);
    assert_eq!(company.leave("nobody"), Err(Illegal::UnknownMember("nobody".to_owned())));
}

#[test]
fn entities_are_readable_as_late_as_they_are_to_be() {
    let options = CompanyOptions { entity_lag_ms: 5_000, ..CompanyOptions::default() };
    let mut company = Company::new(options);
    let (userid, events) = company.hire(NewMember::in_departments(&[ROOT])).expect("somebody");
    assert_eq!(company.member(&userid).expect("a member").readable_from_ms, events[0].born_ms + 5_000);
}

#[test]
fn a_company_follows_from_its_seed() {
    assert_eq!(company().members(), company().members());
    assert_eq!(company().raised(), company().raised());
    assert_eq!((company().departments().len(), company().members().len()), (7, 20));
    assert!(company().members().values().any(|member| member.posts.len() == 2));
}
