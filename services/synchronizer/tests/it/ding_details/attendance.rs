//! The attendance of a plant: the core product has what the company has soon after each trigger, and few calls are made for it.

use std::collections::{BTreeMap, BTreeSet};

use common::{UnixMillis, attendance::day_id};
use dingtalk::china_time;
use platform_sim::dingtalk::{
    Company, Event, Illegal, Matter, TimeResult, Verdict,
    api::{About, Interface, Record},
};

use super::{
    company::{FRIDAY, MONDAY, SATURDAY, SUNDAY, TUESDAY, at, early_on_monday, members_of},
    core_tables::Core,
    scene::Scene,
};

/// So long after a trigger the core product may be behind.
const PATIENCE_SECONDS: i64 = 90;

#[test]
fn the_company_of_these_tests_has_both_shifts() {
    let company = early_on_monday(3, 20);
    let (day, night) = members_of(&company);
    assert_eq!((day.len(), night.len()), (18, 2));
}

/// How many members there are.
fn members() -> usize {
    let told = std::env::var_os("ORGBRIDGE_ATTENDANCE_MEMBERS").and_then(|told| told.into_string().ok());
    told.and_then(|told| told.parse().ok()).unwrap_or(500)
}

/// What was triggered, and is to be in the core product soon.
struct Watch {
    core: Core,
    /// When something last happened to a day.
    triggered: BTreeMap<String, UnixMillis>,
    /// How often something was said of a day that only a look at all of it shows.
    stated: BTreeMap<String, u64>,
}

impl Watch {
    async fn over(scene: &Scene) -> Self {
        Self { core: Core::beside(scene).await, triggered: BTreeMap::new(), stated: BTreeMap::new() }
    }

    fn trigger(&mut self, member: &str, date: &str, now: UnixMillis) {
        self.triggered.insert(day_id(member, date), now);
    }

    fn state(&mut self, member: &str, date: &str, now: UnixMillis) {
        self.trigger(member, date, now);
        *self.stated.entry(day_id(member, date)).or_default() += 1;
    }

    /// The days that have to be in the core product as they are now; they are not looked at again.
    fn due(&mut self, now: UnixMillis) -> BTreeSet<String> {
        let is_due = |at: &UnixMillis| now.since(*at) >= PATIENCE_SECONDS * 1000;
        let due = self.triggered.iter().filter(|(_, at)| is_due(at)).map(|(day, _)| day.clone()).collect();
        self.triggered.retain(|_, at| !is_due(&*at));
        due
    }
}

/// Lets time pass, and compares each day as soon as the core product has had its time.
async fn pass(scene: &Scene, watch: &mut Watch, seconds: i64) {
    for _ in 0..seconds {
        scene.pass(1).await;
        let due = watch.due(scene.now());
        if !due.is_empty() {
            let differences = watch.core.differences(scene, &due).await;
            assert!(differences.is_empty(), "{} of {}: {:#?}", differences.len(), due.len(), &differences[..1]);
        }
    }
}

/// All of these members punch within a minute.
async fn rush(scene: &Scene, watch: &mut Watch, people: &[String], date: &str) {
    let each = people.len().div_ceil(60).max(1);
    for some in people.chunks(each) {
        let now = scene.now();
        scene
            .happens(|company| {
                let punches = some.iter().map(|member| company.punch(member, now.0));
                Ok(punches.collect::<Result<Vec<_>, _>>()?.concat())
            })
            .await;
        for member in some {
            watch.trigger(member, date, now);
        }
        pass(scene, watch, 1).await;
    }
}

/// An approval is started and decided at once.
fn agreed(company: &mut Company, who: &str, matter: Matter) -> Result<(String, Vec<Event>), Illegal> {
    let (id, mut events) = company.start_approval(who, matter)?;
    events.extend(company.decide(&id, Verdict::Agree)?);
    Ok((id, events))
}

async fn approve(scene: &Scene, watch: &mut Watch, who: &str, matter: Matter, days: &[(&str, &str)]) -> String {
    let (id, events) = scene.change(|company| agreed(company, who, matter));
    scene.tell(&events).await;
    let now = scene.now();
    days.iter().for_each(|(member, date)| watch.state(member, date, now));
    id
}

fn by_window(records: &[Record]) -> BTreeMap<i64, Vec<&Record>> {
    let mut windows: BTreeMap<i64, Vec<&Record>> = BTreeMap::new();
    let first = records.first().map_or(0, |record| record.at_ms);
    for record in records {
        windows.entry((record.at_ms - first) / 60_000).or_default().push(record);
    }
    windows
}

fn asked_about(record: &Record) -> (Vec<String>, String) {
    match record.about.clone() {
        Some(About::Members { members, to, .. }) => (members, to),
        other => panic!("{other:?}"),
    }
}

/// The calls that ask about punches because somebody punched. A look at results that were late asks about the same members' punches, too.
fn because_of_punches(scene: &Scene, since: usize) -> Vec<Record> {
    let moment = |call: &Record| (call.at_ms, asked_about(call).0);
    let looks: BTreeSet<_> = scene.calls(since, Interface::AttendanceResults).iter().map(moment).collect();
    let calls = scene.calls(since, Interface::AttendancePunches).into_iter();
    calls.filter(|call| !looks.contains(&moment(call))).collect()
}

/// In each minute punches are asked about in calls of fifty members.
fn punches_are_asked_about_together(records: &[Record]) {
    for (minute, calls) in by_window(records) {
        let members: BTreeSet<String> = calls.iter().flat_map(|call| asked_about(call).0).collect();
        let allowed = members.len().div_ceil(50) * 12 / 10;
        let made: Vec<_> = calls.iter().map(|call| (call.at_ms % 60_000, asked_about(call).0.len())).collect();
        assert!(calls.len() <= allowed, "{} members in minute {minute} by calls {made:?}", members.len());
    }
}

/// Results are asked about on pages of fifty, of which a member with two check points takes two rows.
fn results_are_asked_about_together(records: &[Record]) {
    let mut looks: BTreeMap<(i64, String), Vec<&Record>> = BTreeMap::new();
    for record in records {
        looks.entry((record.at_ms, asked_about(record).1)).or_default().push(record);
    }
    for ((at_ms, date), calls) in looks {
        let members: BTreeSet<String> = calls.iter().flat_map(|call| asked_about(call).0).collect();
        let allowed = (members.len() * 2).div_ceil(50) * 12 / 10;
        assert!(
            calls.len() <= allowed.max(1),
            "{} calls for {} members of {date} at {at_ms}",
            calls.len(),
            members.len()
        );
    }
}

#[tokio::test]
async fn the_core_has_what_the_company_has_within_90_seconds_of_each_trigger() {
    let company = early_on_monday(12, members());
    let (day, night) = members_of(&company);
    let scene = Scene::over(company).await;
    scene.settled().await;
    let differences = scene.differences(None).await;
    assert!(
        differences.iter().all(|difference| difference.contains(TUESDAY)),
        "the last days were compared when the directory was there: {differences:#?}"
    );
    let (since, mut watch) = (scene.journal(), Watch::over(&scene).await);

    // The night shift goes home, a part of it before six.
    scene.jump_to(at(MONDAY, "05:59:30"));
    rush(&scene, &mut watch, &night, SUNDAY).await;
    pass(&scene, &mut watch, 100).await;
    // The day shift comes, and some punch once more, which no result uses.
    scene.jump_to(at(MONDAY, "08:50"));
    rush(&scene, &mut watch, &day, MONDAY).await;
    let again: Vec<String> = day.iter().step_by(7).cloned().collect();
    pass(&scene, &mut watch, 10).await;
    rush(&scene, &mut watch, &again, MONDAY).await;
    pass(&scene, &mut watch, 100).await;
    let morning = because_of_punches(&scene, since);
    punches_are_asked_about_together(&morning);
    results_are_asked_about_together(&scene.calls(since, Interface::AttendanceResults));
    assert!(scene.calls(since, Interface::AttendanceDay).is_empty(), "nobody corrected anything");
    let asked: usize = morning.iter().map(|call| asked_about(call).0.len()).sum();
    let triggers = night.len() + day.len() + again.len();
    assert!(asked * 10 <= triggers * 12, "{asked} times somebody was asked about, and {triggers} punched");

    approvals_and_corrections(&scene, &mut watch, &day, &night).await;
    let stated: u64 = watch.stated.values().sum();
    let whole = scene.calls(since, Interface::AttendanceDay).len() as u64;
    assert!(whole * 10 <= stated * 12, "{whole} days were asked about, {stated} times something was stated");

    // The day shift goes home, and the next morning everything is looked at once more.
    scene.jump_to(at(MONDAY, "18:01"));
    rush(&scene, &mut watch, &day, MONDAY).await;
    pass(&scene, &mut watch, 100).await;
    scene.jump_to(at(TUESDAY, "04:00"));
    scene.pass(5).await;
    punches_are_asked_about_together(&because_of_punches(&scene, since));
    results_are_asked_about_together(&scene.calls(since, Interface::AttendanceResults));
    let days: BTreeSet<String> = scene
        .truth()
        .keys()
        .filter_map(|id| common::attendance::day_of_record(id))
        .filter(|day| !day.ends_with(TUESDAY))
        .map(str::to_owned)
        .collect();
    assert_eq!(watch.core.differences(&scene, &days).await, Vec::<String>::new());
    assert_eq!(scene.approval_differences().await, Vec::<String>::new());
    assert_eq!(scene.dead_letters().await, 0);
    scene.end().await;
}

/// Leave of all kinds, overtime, trips, outings, makeups, corrections by hand, and approvals that are corrected themselves.
async fn approvals_and_corrections(scene: &Scene, watch: &mut Watch, day: &[String], night: &[String]) {
    let since = scene.journal();
    let mut people = day.iter();
    let mut next = || people.next().expect("enough members").as_str();
    let kinds: Vec<String> = scene.api.company().leave_types().iter().map(|kind| kind.name.clone()).collect();
    let mut once = Vec::new();
    for leave_type in kinds {
        let who = next();
        let matter = Matter::Leave { leave_type, begin_ms: at(MONDAY, "14:00"), end_ms: at(TUESDAY, "12:00") };
        once.push(approve(scene, watch, who, matter, &[(who, MONDAY), (who, TUESDAY)]).await);
        pass(scene, watch, 1).await;
    }
    let (applicant, workers) = (next(), [next().to_owned(), next().to_owned()]);
    let overtime =
        Matter::Overtime { workers: workers.to_vec(), begin_ms: at(MONDAY, "18:00"), end_ms: at(MONDAY, "20:30") };
    let of_both = [(workers[0].as_str(), MONDAY), (workers[1].as_str(), MONDAY)];
    once.push(approve(scene, watch, applicant, overtime, &of_both).await);
    let who = next();
    let trip = Matter::Trip { begin_ms: at(SUNDAY, "00:00"), end_ms: at(TUESDAY, "00:00") };
    once.push(approve(scene, watch, who, trip, &[(who, SUNDAY), (who, MONDAY)]).await);
    let who = next();
    let outing = Matter::Outing { begin_ms: at(MONDAY, "10:00"), end_ms: at(MONDAY, "11:30") };
    once.push(approve(scene, watch, who, outing, &[(who, MONDAY)]).await);
    pass(scene, watch, 3).await;
    // A makeup on a working day raises the event of a punch; on a holiday and on a rest day it raises none.
    for (date, clock) in [(MONDAY, "09:00"), (FRIDAY, "18:00"), (SATURDAY, "10:00")] {
        let who = next();
        let makeup = Matter::Makeup { work_date: date.to_owned(), at_ms: at(date, clock) };
        once.push(approve(scene, watch, who, makeup, &[(who, date)]).await);
        pass(scene, watch, 1).await;
    }
    let who = night[0].as_str();
    let makeup = Matter::Makeup { work_date: SUNDAY.to_owned(), at_ms: at(MONDAY, "06:00") };
    once.push(approve(scene, watch, who, makeup, &[(who, SUNDAY), (who, MONDAY)]).await);
    pass(scene, watch, 2).await;
    corrections(scene, watch, &mut next).await;
    let (revoked, refused) = (next(), next());
    let outing = || Matter::Outing { begin_ms: at(MONDAY, "15:00"), end_ms: at(MONDAY, "16:00") };
    let id = approve(scene, watch, revoked, outing(), &[(revoked, MONDAY)]).await;
    pass(scene, watch, 100).await;
    taken_back_and_refused(scene, watch, (&id, revoked), refused, outing()).await;
    pass(scene, watch, 100).await;
    for id in once {
        let about = About::approval(&id);
        let calls = scene.calls(since, Interface::Approval);
        let calls = calls.iter().filter(|call| call.about.as_ref() == Some(&about)).count();
        assert_eq!(calls, 1, "all events of one moment are one question");
    }
}

/// What an administrator and the platform itself change.
async fn corrections<'a>(scene: &Scene, watch: &mut Watch, next: &mut impl FnMut() -> &'a str) {
    let (late, rescheduled, counted, worked) = (next(), next(), next(), next());
    let plan = scene.api.company().day(late, MONDAY).unwrap().plans[0].id;
    scene.happens(|company| company.boss_edit(late, plan, TimeResult::Normal)).await;
    watch.state(late, MONDAY, scene.now());
    pass(scene, watch, 1).await;
    let shift = platform_sim::dingtalk::Shift { class_id: 9003, ..platform_sim::dingtalk::Shift::day() };
    scene.happens(|company| company.reschedule(rescheduled, MONDAY, &shift)).await;
    watch.state(rescheduled, MONDAY, scene.now());
    scene.happens(|company| company.daily_summary(counted, MONDAY)).await;
    watch.state(counted, MONDAY, scene.now());
    scene.happens(|company| company.write_overtime(worked, MONDAY, 2)).await;
    watch.state(worked, MONDAY, scene.now());
    pass(scene, watch, 1).await;
}

/// What was agreed to is taken back, and something else is refused.
async fn taken_back_and_refused(
    scene: &Scene,
    watch: &mut Watch,
    (id, who): (&str, &str),
    refused: &str,
    outing: Matter,
) {
    let events = scene.change(|company| {
        let (attached, mut events) = company.revoke(id)?;
        events.extend(company.decide(&attached, Verdict::Agree)?);
        let (other, asked) = company.start_approval(refused, outing)?;
        events.extend(asked);
        events.extend(company.decide(&other, Verdict::Refuse)?);
        Ok(events)
    });
    scene.tell(&events).await;
    watch.state(who, MONDAY, scene.now());
    watch.trigger(refused, MONDAY, scene.now());
    let truth = scene.truth();
    let covers = |who: &str| truth.iter().filter(|(id, row)| id.starts_with(who) && row.kind == "outing").count();
    assert_eq!((covers(who), covers(refused)), (0, 0));
    assert!(china_time::date_of(scene.now()) == MONDAY);
}
