//! Inputs that are made: what platforms would push, in every shape in which they write, and those hostile ones that are too large
//! for a file. Whatever is wrong with one of these, the rest of it is as it should be.

pub(crate) mod ding;
pub(crate) mod jiandaoyun;

use platform_sim::{Company, CompanyOptions, Profile};

/// Decrypted callbacks of a company to which all sorts of things happen.
pub(crate) fn callbacks() -> Vec<String> {
    let of = |profile| {
        let mut company = Company::new(CompanyOptions { seed: 7, profile, ..CompanyOptions::default() });
        company.live(40).into_iter().map(|callback| callback.plaintext)
    };
    of(Profile::Full).chain(of(Profile::Reduced)).collect()
}

/// Documents with `inner` in them, and something else.
pub(crate) fn xml(inner: &str) -> Vec<Vec<u8>> {
    let many = |count: usize, each: fn(usize) -> String| (0..count).map(each).collect::<String>();
    let laughs = many(9, |n| format!("<!ENTITY l{} \"{}\">", n + 1, format!("&l{n};").repeat(10)));
    let heads = [
        (format!("<!DOCTYPE xml [<!ENTITY l0 \"lol\">{laughs}]>"), "<a>&l9;</a>".to_owned()),
        (format!("<!DOCTYPE xml [<!ENTITY q \"{}\">]>", "q".repeat(50_000)), "&q;".repeat(5_000)),
    ];
    let contents = [
        "<a>".repeat(10_000) + &"</a>".repeat(10_000),
        "<a>".repeat(300_000),
        "</a>".repeat(300_000),
        "<a/>".repeat(300_000),
        "<!---->".repeat(100_000),
        "<?a?>".repeat(100_000),
        "<".repeat(1 << 20),
        "&".repeat(1 << 20),
        "=".repeat(1 << 20),
        "&#20013;".repeat(100_000),
        "<![CDATA[x]]>".repeat(80_000),
        format!("<![CDATA[{}]]>", "\r".repeat(1 << 20)),
        format!("<![CDATA[{}", "]]".repeat(500_000)),
        format!("<![CDATA[{}", ">".repeat(1 << 20)),
        format!("<!--{}", "-".repeat(1 << 20)),
        format!("<{}", "a".repeat(1 << 20)),
        format!("<a b='{}'/>", "x".repeat(1 << 20)),
        format!("<a b='{}", ">".repeat(1 << 20)),
        format!("<a{}/>", many(100_000, |n| format!(" a{n}=''"))),
        format!("<a{}/>", many(100_000, |n| format!(" xmlns:n{n}='u{n}'"))),
        many(10_000, |n| format!("<a xmlns:n{n}='u{n}'>")) + &"</a>".repeat(10_000),
        format!("<n{}>{}</n>", many(60, |n| format!(" xmlns:n{n}='u{n}'")), "<n0:a/>".repeat(9_000)),
    ];
    let headed = heads.into_iter().map(|(head, content)| format!("{head}<xml>{content}{inner}</xml>"));
    let contained = contents.into_iter().map(|content| format!("<xml>{content}{inner}</xml>"));
    headed.chain(contained).map(String::into_bytes).collect()
}

/// A member who was put into this many departments, and leads all or none of them.
pub(crate) fn member_of(departments: usize, leads: bool) -> Vec<u8> {
    let ids: Vec<String> = (1..=departments).map(|id| id.to_string()).collect();
    let flags = vec![if leads { "1" } else { "0" }; departments].join(",");
    format!(
        "<xml><CreateTime>1767225600</CreateTime><MsgType>event</MsgType><Event>change_contact</Event>\
         <ChangeType>update_user</ChangeType><UserID>u</UserID><Department>{}</Department>\
         <IsLeaderInDept>{flags}</IsLeaderInDept></xml>",
        ids.join(",")
    )
    .into_bytes()
}

/// Values that are hard to read, each the last one of an object that begins with `begin`.
pub(crate) fn json(begin: &str) -> Vec<Vec<u8>> {
    let keys: String = (0..30_000).map(|n| format!("\"k{n}\":{n},")).collect();
    let ends = [
        "{\"x\":".repeat(200_000),
        "[".repeat(1 << 20),
        "[".repeat(30_000) + &"]".repeat(30_000) + "}",
        "9".repeat(1 << 20) + "}",
        format!("0.{}e-1}}", "0".repeat(500_000)),
        format!("\"{}\"}}", "x".repeat(1 << 20)),
        format!("\"{}\"}}", "\\ud842\\udfb7".repeat(80_000)),
        format!("\"{}", "\\".repeat(1 << 20)),
        format!("1,{keys}\"last\":1}}"),
    ];
    ends.into_iter().map(|end| format!("{begin}\"x\":{end}").into_bytes()).collect()
}

/// TOML that goes deep or wide, after some that is fine.
pub(crate) fn toml(begin: &str) -> Vec<Vec<u8>> {
    // As many parts as the reader takes; and as many inline tables as it takes, one in the other, each with a key of as many
    // parts: 6,400 tables deep, in 13 KB.
    let key = ["a"; 80].join(".");
    let keys = |count: usize| (0..count).map(|n| format!("k{n} = 1\n")).collect::<String>();
    let ends = [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(50_000)),
        format!("a{} = 1", ".a".repeat(100_000)),
        format!("[a{}]", ".a".repeat(100_000)),
        format!("[{key}]\n{key} = 1"),
        format!("a = \"{}\"", "x".repeat(1 << 20)),
        format!("a = \"{}", "\\".repeat(100_001)),
        format!("a = \"\"\"{}", "\"\"\n".repeat(100_000)),
        format!("#{}", "x".repeat(1 << 20)),
        "'".repeat(200_001),
        keys(5_000),
        format!("[sink]\n{}", keys(3_000)),
        (0..3_000).map(|n| format!("[t{n}]\n")).collect(),
        format!("{key} = {}1{}", format!("{{{key} = ").repeat(79), "}".repeat(79)),
    ];
    ends.into_iter().map(|end| format!("{begin}{end}\n").into_bytes()).collect()
}
