use serde_json::json;

use super::*;

fn settle(field: &str, value: Value) -> Result<Option<Value>, Reason> {
    Target::named(field).unwrap().settle(&value)
}

fn taken(field: &str, value: Value) -> Value {
    let shown = value.to_string();
    settle(field, value).unwrap_or_else(|reason| panic!("{field} {shown}: {reason}")).unwrap_or_default()
}

fn refused(field: &str, value: Value) -> Reason {
    let shown = value.to_string();
    settle(field, value).err().unwrap_or_else(|| panic!("{field} {shown}"))
}

#[test]
fn what_is_blank_is_nothing_in_every_field() {
    let names = TABLE.iter().map(|row| row.name).chain(["extattr.工号"]);
    for name in names {
        for blank in
            [json!(null), json!(""), json!(" \u{3000}"), json!([]), json!({}), json!({"phone": ""}), json!([{}])]
        {
            assert_eq!(settle(name, blank.clone()), Ok(None), "{name} {blank}");
        }
    }
}

#[test]
fn user_ids_are_taken_as_they_are_or_not_at_all() {
    assert_eq!(taken("userid", json!(" Zhang.San-1_@x ")), json!("Zhang.San-1_@x"));
    assert_eq!(taken("userid", json!(1005)), json!("1005"));
    assert_eq!(taken("userid", json!({"username": "LiangZhi", "name": "梁"})), json!("LiangZhi"));
    assert_eq!(taken("userid", json!("a".repeat(64))), json!("a".repeat(64)));
    for odd in ["_a", ".a", "a b", "张三", "a/b", "ａ", "a,b", &"a".repeat(65)] {
        assert_eq!(refused("userid", json!(odd)), Reason::NoUserid, "{odd}");
    }
}

#[test]
fn names_keep_every_character_and_are_counted_by_it() {
    for name in ["张三", "𠮷野家 😀👨‍👩‍👧", "Zoë O’Neil", "ﷺ", "田\u{fe0f}"] {
        assert_eq!(taken("name", json!(name)), json!(name));
    }
    assert_eq!(taken("name", json!(" 张三\u{3000}\n")), json!("张三"));
    assert_eq!(taken("name", json!("😀".repeat(64))), json!("😀".repeat(64)));
    let length = Reason::Length { least: 1, most: 64, unit: "characters" };
    assert_eq!(refused("name", json!("😀".repeat(65))), length);
    assert_eq!(taken("position", json!("职".repeat(128))), json!("职".repeat(128)));
    assert!(settle("position", json!("职".repeat(129))).is_err());
}

#[test]
fn departments_are_numbers_whatever_they_are_told_as() {
    let department = |id: u32| json!({"name": "研发部", "dept_no": id, "type": 0, "status": 1});
    for (told, ids) in [
        (json!("[1,2,3]"), json!([1, 2, 3])),
        (json!("1, 2，3、4;5|6"), json!([1, 2, 3, 4, 5, 6])),
        (json!("[\"1\", \"2\"]"), json!([1, 2])),
        (json!(7), json!([7])),
        (json!(7.0), json!([7])),
        (json!(["7", 8, "8", 7]), json!([7, 8])),
        (json!("１２"), json!([12])),
        (department(12), json!([12])),
        (json!([department(12), department(13)]), json!([12, 13])),
        (json!({"name": "x", "dept_no": 12, "integrate_id": 99}), json!([99])),
        (json!({"name": "x", "dept_no": "12", "integrate_id": null}), json!([12])),
        (json!([1, 4_294_967_295_u32]), json!([1, 4_294_967_295_u32])),
    ] {
        assert_eq!(taken("department", told.clone()), ids, "{told}");
    }
    for odd in [
        json!("研发部"),
        json!(["研发部"]),
        json!({"name": "研发部"}),
        json!(0),
        json!("-1"),
        json!(1.5),
        json!("1.5"),
        json!(4_294_967_296_u64),
        json!(true),
        json!([[1]]),
        json!("1 号"),
    ] {
        assert_eq!(refused("department", odd.clone()), Reason::NoDepartment, "{odd}");
    }
    let many: Vec<u32> = (1..=101).collect();
    assert_eq!(refused("department", json!(many)), Reason::TooMany { most: 100 });
    assert_eq!(taken("main_department", json!("[3]")), json!(3));
    assert_eq!(refused("main_department", json!([3, 4])), Reason::TooMany { most: 1 });
}

#[test]
fn the_other_fields_take_what_the_platform_takes() {
    for (field, told, sent) in [
        ("mobile", json!({"phone": "138 0013 8000", "verified": true}), json!("13800138000")),
        ("mobile", json!(13_800_138_000_i64), json!("13800138000")),
        ("email", json!(" zhang.san+1@corp.example "), json!("zhang.san+1@corp.example")),
        ("gender", json!("男"), json!("1")),
        ("gender", json!("女"), json!("2")),
        ("gender", json!(2), json!("2")),
        ("gender", json!("保密"), json!(null)),
        ("to_invite", json!("true"), json!(true)),
        ("to_invite", json!("是"), json!(true)),
        ("to_invite", json!(1), json!(true)),
        ("to_invite", json!("0"), json!(false)),
        ("to_invite", json!("“false”"), json!(false)),
        ("enable", json!(true), json!(1)),
        ("enable", json!("0"), json!(0)),
        ("is_leader_in_dept", json!([true, "0", 1]), json!([1, 0, 1])),
        ("is_leader_in_dept", json!("[0,1]"), json!([0, 1])),
        ("order", json!("10,20"), json!([10, 20])),
        ("direct_leader", json!([{"username": "ma", "name": "马"}]), json!(["ma"])),
        ("direct_leader", json!("ma"), json!(["ma"])),
        ("telephone", json!("021-6666 8888"), json!("021-66668888")),
        ("address", json!({"province": "上海市", "city": "", "district": "", "detail": "1 号"}), json!("上海市1 号")),
        ("extattr.入职", json!(" 2026-12-01 "), json!("2026-12-01")),
    ] {
        assert_eq!(taken(field, told.clone()), sent, "{field} {told}");
    }
    for (field, told, reason) in [
        ("mobile", json!("12345"), Reason::NoMobile),
        ("mobile", json!([{"url": "x"}]), Reason::NotUsable),
        ("email", json!("a@b"), Reason::NoEmail),
        ("email", json!("zhang san@corp.example"), Reason::NoEmail),
        ("email", json!("张三@corp.example"), Reason::NoEmail),
        ("email", json!("a@-corp.example"), Reason::NoEmail),
        ("gender", json!("x"), Reason::NoGender),
        ("to_invite", json!("maybe"), Reason::NoFlag),
        ("enable", json!(2), Reason::NoFlag),
        ("is_leader_in_dept", json!([2]), Reason::NoNumber),
        ("direct_leader", json!("a,b"), Reason::TooMany { most: 1 }),
        ("direct_leader", json!("张三"), Reason::NoUserid),
        ("telephone", json!("ask Zhang"), Reason::NoTelephone),
        ("extattr.x", json!("x".repeat(65)), Reason::Length { least: 1, most: 64, unit: "characters" }),
    ] {
        assert_eq!(refused(field, told.clone()), reason, "{field} {told}");
    }
}

#[test]
fn extended_attributes_may_come_all_at_once() {
    let attributes = json!({"attrs": [
        {"type": "0", "name": "工号", "text": {"value": "A-0042"}},
        {"name": "入职", "value": "2026-12-01"},
        {"type": 0, "name": "空", "text": {"value": ""}},
        {"type": 1, "name": "主页", "web": {"title": "个人页", "url": "https://p.example/42"}},
    ]});
    let sent = json!({"attrs": [
        {"type": 0, "name": "工号", "text": {"value": "A-0042"}},
        {"type": 0, "name": "入职", "text": {"value": "2026-12-01"}},
        {"type": 1, "name": "主页", "web": {"title": "个人页", "url": "https://p.example/42"}},
    ]});
    assert_eq!(taken("extattr", attributes.clone()), sent);
    assert_eq!(taken("extattr", json!(attributes.to_string())), sent);
    assert_eq!(taken("extattr", attributes["attrs"].clone()), sent);
    for odd in [
        json!("x"),
        json!({"a": 1}),
        json!([1]),
        json!([{"value": "x"}]),
        json!([{"type": 2, "name": "x"}]),
        json!([{"type": 1, "name": "x", "web": {"url": "javascript:x", "title": "x"}}]),
    ] {
        assert_eq!(refused("extattr", odd.clone()), Reason::NoAttributes, "{odd}");
    }
}

#[test]
fn only_fields_of_the_platform_are_targets() {
    for odd in ["", "Userid", "extattr.", "extattr. ", "department_id", "password"] {
        assert_eq!(Target::named(odd), None, "{odd}");
    }
    assert!(Target::named("department").unwrap().is_needed() && !Target::named("mobile").unwrap().is_needed());
}
