//! A tenant whose directory is another platform's: the people of DingTalk are matched.

use std::collections::BTreeMap;

use common::{EntityKind, Field, Fields, Platform};
use platform_sim::dingtalk::{Company, CompanyOptions, Event, Illegal, Matter, NewMember, ROOT, Verdict};
use store::{
    links::DecidedBy,
    people::{self, Person},
};

use super::{
    company::{MONDAY, at},
    scene::{Scene, Setting, tenant},
};

const WECOM: Setting = Setting { directory: Platform::Wecom, monthly_calls: 1_000_000, compares_every: 86_400 };

/// Three people of DingTalk: with the mobile number of one, the employee number of another, and nobody's.
async fn scene() -> Scene {
    let options = CompanyOptions { start_ms: at(MONDAY, "08:00"), pace_ms: 0, ..CompanyOptions::default() };
    let mut company = Company::new(options);
    for (userid, mobile, number) in
        [("M1", "13900000001", "D1"), ("M2", "13900000002", "A-2"), ("M3", "13900000003", "D3")]
    {
        let (userid, mobile) = (Some(userid.to_owned()), Some(mobile.to_owned()));
        let new =
            NewMember { userid, mobile, job_number: Some(number.to_owned()), ..NewMember::in_departments(&[ROOT]) };
        company.hire(new).unwrap();
    }
    let scene = Scene::set_up(company, WECOM).await;
    scene.without_pulls().await;
    scene.member("ZhangSan", member("张三", "+86 139-0000-0001")).await;
    scene.member("lisi", member("李四", "13700000000").with(Field::EmployeeNumber, "A-2")).await;
    scene.member("wangwu", member("王五", "13700000001")).await;
    scene.look().await;
    scene
}

fn member(name: &str, mobile: &str) -> Fields {
    Fields::new().with(Field::Name, name).with(Field::Departments, ["1"].as_slice()).with(Field::Mobile, mobile)
}

async fn punch(scene: &Scene, member: &str) {
    let now = scene.now().0;
    scene.happens(|company| company.punch(member, now)).await;
}

/// Whose attendance records are, by whose they are at DingTalk; `None` for those that wait.
async fn whose(scene: &Scene, kind: EntityKind, field: Field) -> BTreeMap<String, Option<String>> {
    let mut whose = BTreeMap::new();
    for (key, row) in scene.records(kind).await {
        let sent = row.record.sent.as_ref();
        let member = sent.and_then(|sent| sent.entity.fields.text(field).map(str::to_owned));
        whose.insert(key.id.split('/').next().unwrap_or_default().to_owned(), member);
    }
    whose
}

async fn decide(scene: &Scene, foreign: &'static str, member: Option<&'static str>) {
    let updated_at = scene.now();
    let person = Person {
        foreign_id: foreign.to_owned(),
        member: member.map(str::to_owned),
        decided_by: Some(DecidedBy::Person),
        mobile_digest: None,
        updated_at,
    };
    scene.write(move |conn| people::set(conn, &tenant(), Platform::Dingtalk, &[person])).await;
}

fn agreed(company: &mut Company, who: &str) -> Result<Vec<Event>, Illegal> {
    let (id, mut events) = company.start_approval(who, Matter::Other)?;
    events.extend(company.decide(&id, Verdict::Agree)?);
    Ok(events)
}

fn expected(pairs: &[(&str, Option<&str>)]) -> BTreeMap<String, Option<String>> {
    pairs.iter().map(|(foreign, member)| ((*foreign).to_owned(), member.map(str::to_owned))).collect()
}

#[tokio::test]
async fn people_are_matched_by_mobile_or_employee_number_and_the_others_wait_until_a_person_says_who_they_are() {
    let scene = scene().await;
    for person in ["M1", "M2", "M3"] {
        punch(&scene, person).await;
    }
    scene.pass(90).await;
    let attendance = async || whose(&scene, EntityKind::Attendance, Field::Member).await;
    assert_eq!(attendance().await, expected(&[("m1", Some("ZhangSan")), ("m2", Some("lisi")), ("m3", None)]));
    let waits = scene.records(EntityKind::Attendance).await.into_iter().flat_map(|(_, row)| row.record.waits);
    assert_eq!(waits.map(|wait| wait.on.to_string()).collect::<Vec<_>>(), ["member dingtalk:m3"]);

    let since = scene.journal();
    decide(&scene, "m3", Some("wangwu")).await;
    scene.pass(2).await;
    assert_eq!(attendance().await, expected(&[("m1", Some("ZhangSan")), ("m2", Some("lisi")), ("m3", Some("wangwu"))]));
    decide(&scene, "m2", Some("wangwu")).await;
    scene.pass(2).await;
    assert_eq!(attendance().await["m2"].as_deref(), Some("wangwu"), "a person knows better");
    let calls = scene.api.records().into_iter().skip(since).filter(|call| call.counted).count();
    assert_eq!(calls, 0, "what is known is told again, and nobody is asked");
    punch(&scene, "M2").await;
    scene.pass(90).await;
    assert_eq!(attendance().await["m2"].as_deref(), Some("wangwu"));
    scene.end().await;
}

#[tokio::test]
async fn an_approval_is_its_applicants_whom_the_directory_knows_under_another_id() {
    let scene = scene().await;
    for person in ["M1", "M3"] {
        scene.happens(|company| agreed(company, person)).await;
    }
    scene.pass(30).await;
    let applicants = async || {
        let whose = whose(&scene, EntityKind::Approval, Field::Applicant).await;
        let mut applicants: Vec<_> = whose.into_values().collect();
        applicants.sort_unstable();
        applicants
    };
    assert_eq!(applicants().await, [None, Some("ZhangSan".to_owned())]);
    decide(&scene, "m3", Some("wangwu")).await;
    scene.pass(2).await;
    assert_eq!(applicants().await, [Some("ZhangSan".to_owned()), Some("wangwu".to_owned())]);
    scene.end().await;
}

#[tokio::test]
async fn a_member_who_comes_later_is_found_to_be_the_same() {
    let scene = scene().await;
    punch(&scene, "M3").await;
    scene.pass(90).await;
    assert_eq!(whose(&scene, EntityKind::Attendance, Field::Member).await, expected(&[("m3", None)]));
    scene.member("zhaoliu", member("赵六", "139 0000 0003")).await;
    scene.look().await;
    scene.jump(700);
    scene.pass(3).await;
    assert_eq!(whose(&scene, EntityKind::Attendance, Field::Member).await, expected(&[("m3", Some("zhaoliu"))]));
    scene.end().await;
}

#[tokio::test]
async fn who_is_not_known_is_asked_about_again_since_somebody_may_bear_his_employee_number_by_then() {
    let scene = scene().await;
    punch(&scene, "M3").await;
    scene.pass(90).await;
    scene.member("zhaoliu", member("赵六", "13700000009").with(Field::EmployeeNumber, "D3")).await;
    scene.look().await;
    scene.jump(700);
    scene.pass(3).await;
    assert_eq!(whose(&scene, EntityKind::Attendance, Field::Member).await, expected(&[("m3", None)]));
    scene.jump(3600);
    scene.pass(3).await;
    assert_eq!(whose(&scene, EntityKind::Attendance, Field::Member).await, expected(&[("m3", Some("zhaoliu"))]));
    scene.end().await;
}
