//! Callbacks of WeCom, encrypted and signed for the tests' tenant.
//!
//! Those of members are what `load/gen_requests.py` of the shared benchmarks makes: 1.1 KB of XML inside, 1.7 KB of body.

use std::{
    fs::File,
    io::{BufWriter, Write},
    ops::Range,
    path::Path,
};

use ::tests::Bridge;
use anyhow::{Context as _, Result};
use common::Clock;
use platform_sim::{
    AgentId, Keys, Sealed,
    crypto::{Moment, random16},
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use service::SystemClock;

const SURNAMES: &[&str] = &["王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周"];
const GIVEN_NAMES: &[&str] = &["伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳"];
/// Of the envelope's equivalent shapes the one without line breaks, in the order in which WeCom has its elements.
const LAYOUT: u64 = 1;
/// Departments below one department.
const CHILDREN: u32 = 8;
/// How many departments a member is in.
pub(crate) const DEPARTMENTS_OF_A_MEMBER: usize = 3;

/// Which members a series of callbacks creates.
#[derive(Debug, Clone)]
pub(crate) struct Members {
    /// Their numbers; each number is another member.
    pub(crate) numbers: Range<usize>,
    /// They are in three of the departments with ids up to this one.
    pub(crate) departments: u32,
    /// They have direct leaders, of whom no callback ever tells.
    pub(crate) have_leaders: bool,
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    SystemClock.now().seconds()
}

/// The id of a member.
pub(crate) fn member_id(number: usize) -> String {
    format!("u{number:09}")
}

/// One `create_user`.
pub(crate) fn member(number: usize, of: &Members, now: i64) -> String {
    let mut random = StdRng::seed_from_u64(number as u64);
    let mut departments: Vec<u32> = Vec::with_capacity(DEPARTMENTS_OF_A_MEMBER);
    while departments.len() < DEPARTMENTS_OF_A_MEMBER.min(of.departments as usize) {
        let drawn = random.random_range(1..=of.departments);
        if !departments.contains(&drawn) {
            departments.push(drawn);
        }
    }
    departments.sort_unstable();
    let main = departments.first().copied().unwrap_or(1);
    let flags: Vec<&str> = (0..departments.len()).map(|place| if place == 0 { "1" } else { "0" }).collect();
    let departments: Vec<String> = departments.iter().map(u32::to_string).collect();
    let mut pick = |names: &[&'static str]| names.choose(&mut random).copied().unwrap_or_default();
    let name = [pick(SURNAMES), pick(GIVEN_NAMES), pick(GIVEN_NAMES)].concat();
    let id = member_id(number);
    let leaders = if of.have_leaders { "<DirectLeader><![CDATA[lisi,wangwu]]></DirectLeader>" } else { "" };
    format!(
        "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>{now}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_contact]]></Event>\
         <ChangeType>create_user</ChangeType><UserID><![CDATA[{id}]]></UserID><Name><![CDATA[{name}]]></Name>\
         <Department><![CDATA[{departments}]]></Department><MainDepartment>{main}</MainDepartment>\
         <IsLeaderInDept><![CDATA[{flags}]]></IsLeaderInDept>{leaders}<Position><![CDATA[产品经理]]></Position>\
         <Mobile>13{number:09}</Mobile><Gender>1</Gender><Email><![CDATA[{id}@example.com]]></Email>\
         <BizMail><![CDATA[{id}@corp.example.com]]></BizMail><Status>1</Status>\
         <Avatar><![CDATA[{AVATAR}]]></Avatar><Alias><![CDATA[{alias:04}]]></Alias>\
         <Telephone><![CDATA[020-3456788]]></Telephone><Address><![CDATA[广州市海珠区]]></Address>\
         <ExtAttr><Item><Name><![CDATA[爱好]]></Name><Type>0</Type><Text><Value><![CDATA[旅游]]></Value></Text></Item>\
         </ExtAttr></xml>",
        corp = Bridge::credentials().corp_id,
        departments = departments.join(","),
        flags = flags.join(","),
        alias = number % 10_000,
    )
}

/// The address of a picture, as long as WeCom's are.
pub(crate) const AVATAR: &str = "http://wx.example.com/mmopen/ajNVdqHZLLA3WJ6DSZUfiakYe37PKnQhBIeOQBO4czqrnZDS79FH5Wm5m4X69TBicnHFlhiafvDwklOpZeXYQQ2icg/0";

/// One `create_party`. The ids from 2 on make a tree below the root.
pub(crate) fn department(id: u32, now: i64) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{corp}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>{now}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[change_contact]]></Event>\
         <ChangeType>create_party</ChangeType><Id>{id}</Id><Name><![CDATA[部门{id}]]></Name>\
         <ParentId>{parent}</ParentId><Order>{id}</Order></xml>",
        corp = Bridge::credentials().corp_id,
        parent = parent(id),
    )
}

/// The department above another one; ids begin with 1, the root.
pub(crate) fn parent(id: u32) -> u32 {
    id.saturating_sub(2) / CHILDREN + 1
}

/// Callbacks that create departments, the root aside, up to an id.
pub(crate) fn departments(last: u32) -> Vec<Sealed> {
    let now = now();
    seal((2..=last).map(|id| department(id, now)))
}

/// Callbacks that create members.
pub(crate) fn members(of: &Members) -> Vec<Sealed> {
    let now = now();
    seal(of.numbers.clone().map(|number| member(number, of, now)))
}

/// Encrypts and signs, with the time of now: a gateway takes it for five minutes.
fn seal(plaintexts: impl Iterator<Item = String>) -> Vec<Sealed> {
    let (keys, timestamp): (Keys, String) = (Bridge::keys(), now().to_string());
    let mut random = StdRng::seed_from_u64(1);
    let one = |plaintext: String| {
        let nonce = random.random_range(1_000_000_000..10_000_000_000_u64).to_string();
        let moment = Moment { timestamp: &timestamp, nonce: &nonce, random16: random16(&mut random) };
        keys.seal(&plaintext, &AgentId::Empty, &moment, LAYOUT)
    };
    plaintexts.map(one).collect()
}

/// Whole requests of HTTP, ready to be written.
pub(crate) fn over_http(callbacks: Vec<Sealed>, path: &str) -> Vec<Vec<u8>> {
    let whole = |Sealed { query, body }: Sealed| {
        format!(
            "POST {path}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{body}",
            length = body.len()
        )
        .into_bytes()
    };
    callbacks.into_iter().map(whole).collect()
}

/// Writes one callback per line: its query, a tab, its body.
pub(crate) fn write_lines(callbacks: &[Sealed], path: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(path).with_context(|| path.display().to_string())?);
    for Sealed { query, body } in callbacks {
        writeln!(file, "{query}\t{body}")?;
    }
    Ok(file.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_is_as_long_as_those_of_the_shared_benchmarks() {
        let of = Members { numbers: 0..1, departments: 500, have_leaders: true };
        let plaintext = member(0, &of, 1_800_000_000);
        assert!((1000..1250).contains(&plaintext.len()), "{} bytes", plaintext.len());
        let sealed = members(&of).pop().unwrap();
        assert!((1550..1850).contains(&sealed.body.len()), "{} bytes", sealed.body.len());
        assert!(!sealed.body.contains(['\n', '\t']) && !sealed.query.contains(['\n', '\t']), "one line each");
    }

    #[test]
    fn a_parent_has_a_lower_id() {
        assert_eq!([2, 9, 10, 17, 18].map(parent), [1, 1, 2, 2, 3]);
        assert!((2..1000).all(|id| parent(id) < id));
    }
}
