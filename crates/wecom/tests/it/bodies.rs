//! XML from someone who wants to do harm: documents around something good, in classes, each from a seed. The gateway's tests send
//! the same ones.

use super::chance::Chance;

/// Documents of a class that is refused.
const REFUSED_EACH: usize = 25;
/// Documents of a class that is large or strange within the limits.
const READ_EACH: usize = 10;

/// A document.
pub(crate) struct Body {
    pub(crate) class: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Whether it is read before the signature is known, as an envelope.
    pub(crate) reads_outside: bool,
    /// Whether it is read behind the signature, as a plaintext.
    pub(crate) reads_inside: bool,
}

/// Makes a document of a class around something good, in about so many bytes.
type Make = fn(&mut Chance, &str, usize) -> Vec<u8>;

const REFUSED: [(&str, Make); 23] = [
    ("document types", document_type),
    ("entity bombs", entity_bomb),
    ("an entity of quadratic growth", quadratic_entity),
    ("external entities", external_entity),
    ("references to nothing", references_to_nothing),
    ("depth", depth),
    ("depth, never closed", depth_never_closed),
    ("attributes of one element", attributes_of_one),
    ("attributes of many elements", attributes_of_many),
    ("attributes, never ended", attributes_never_ended),
    ("namespaces", namespaces),
    ("nested namespaces", nested_namespaces),
    ("elements", elements),
    ("comments and instructions", comments_and_instructions),
    ("cut off", cut_off),
    ("sections, never ended", sections_never_ended),
    ("wrong nesting", wrong_nesting),
    ("declared encodings", declared_encoding),
    ("other bytes than UTF-8", other_bytes),
    ("control characters", control_characters),
    ("broken tags", broken_tag),
    ("brackets", brackets),
    ("a long name, never ended", name_never_ended),
];

/// Before the signature nothing may be said twice. Behind it, it is the platform's own business, and passed on.
const TWINS: [(&str, Make); 1] = [("twins", twins)];

const READ: [(&str, Make); 8] = [
    ("a huge text", huge_text),
    ("a text in many sections", many_sections),
    ("a text of references", character_references),
    ("prefixes", prefixes),
    ("depth within the limit", depth_within_the_limit),
    ("instructions within the limit", instructions_within_the_limit),
    ("inclusions of other documents", inclusions),
    ("a long name", long_name),
];

/// All documents, around `inner` and none longer than `most_bytes`, one after the other.
pub(crate) fn bodies(inner: &str, most_bytes: usize) -> impl Iterator<Item = Body> {
    let refused = REFUSED.into_iter().map(|class| (class, REFUSED_EACH, false, false));
    let twins = TWINS.into_iter().map(|class| (class, REFUSED_EACH, false, true));
    let read = READ.into_iter().map(|class| (class, READ_EACH, true, true));
    let each = move |((class, make), count, reads_outside, reads_inside): ((&'static str, Make), usize, bool, bool)| {
        let seed = class.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let mut chance = Chance::from_seed(seed);
        (0..count).map(move |_| {
            let room = chance.between(most_bytes * 2 / 3, most_bytes) - 2 * inner.len() - 1024;
            let bytes = make(&mut chance, inner, room);
            assert!(bytes.len() <= most_bytes, "{class} has {} bytes", bytes.len());
            Body { class, bytes, reads_outside, reads_inside }
        })
    };
    refused.chain(twins).chain(read).flat_map(each)
}

fn xml(content: &str) -> Vec<u8> {
    format!("<xml>{content}</xml>").into_bytes()
}

fn filled(piece: &str, room: usize) -> String {
    piece.repeat(room / piece.len())
}

fn numbered(count: usize, each: impl Fn(usize) -> String) -> String {
    (0..count).map(each).collect()
}

fn document_type(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let before = chance.pick(&["", " \n", "\u{feff}", "<?xml version=\"1.0\"?>\n", "<!-- c -->", "<?a b?>"]);
    let kind = chance.pick(&[
        "<!DOCTYPE xml>",
        "<!doctype xml>",
        "<!DOCTYPE xml SYSTEM \"http://127.0.0.1:9/x.dtd\">",
        "<!DOCTYPE xml PUBLIC \"-//W3C//DTD XHTML 1.0//EN\" 'http://127.0.0.1:9/x.dtd'>",
        "<!DOCTYPE xml [<!ELEMENT xml ANY>]>",
        "<!DOCTYPE xml [<!ATTLIST xml a CDATA #FIXED 'x'>]>",
        "<!DOCTYPE xml [<!NOTATION n SYSTEM 'n'>]>",
        "<!DOCTYPE",
        "<!ELEMENT a ANY>",
        "<!>",
    ]);
    if chance.below(3) == 0 {
        xml(&format!("{kind}{inner}"))
    } else {
        format!("{before}{kind}<xml>{inner}</xml>").into_bytes()
    }
}

fn entity_bomb(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let (levels, wide) = (chance.between(3, 30), chance.between(2, 20));
    let entities = numbered(levels, |n| format!("<!ENTITY l{} \"{}\">", n + 1, format!("&l{n};").repeat(wide)));
    let head = format!("<!DOCTYPE xml [<!ENTITY l0 \"lol\">{entities}]>");
    format!("{head}<xml><a>&l{levels};</a>{inner}</xml>").into_bytes()
}

fn quadratic_entity(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let (text, uses) = ("q".repeat(chance.between(1000, room / 2)), "&q;".repeat(chance.between(1000, room / 6)));
    format!("<!DOCTYPE xml [<!ENTITY q \"{text}\">]><xml><a>{uses}</a>{inner}</xml>").into_bytes()
}

fn external_entity(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let target = chance.pick(&[
        "file:///etc/passwd",
        "file:///dev/zero",
        "http://127.0.0.1:9/",
        "http://169.254.169.254/latest/meta-data/",
        "ftp://127.0.0.1:9/x",
        "php://filter/read=convert.base64-encode/resource=x",
        "expect://id",
        "jar:file:///tmp/x.zip!/x",
        "//127.0.0.1/share",
        "../../../../etc/passwd",
    ]);
    let (head, content) = match chance.below(5) {
        0 => (format!("[<!ENTITY e SYSTEM \"{target}\">]"), "<a>&e;</a>"),
        1 => (format!("[<!ENTITY e PUBLIC \"x\" \"{target}\">]"), "<a>&e;</a>"),
        2 => (format!("[<!ENTITY % p SYSTEM \"{target}\"> %p;]"), ""),
        3 => (format!("[<!ENTITY % p \"<!ENTITY &#37; q SYSTEM '{target}'>\"> %p; %q;]"), ""),
        _ => (format!("SYSTEM \"{target}\""), ""),
    };
    format!("<!DOCTYPE xml {head}><xml>{content}{inner}</xml>").into_bytes()
}

fn references_to_nothing(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let unknown = format!("&{};", chance.text(b"jkvwxz", 5));
    let reference = chance.pick(&[
        &*unknown,
        "&lol;",
        "&;",
        "& ",
        "&",
        "&#;",
        "&#x;",
        "&#0;",
        "&#1;",
        "&#xFFFE;",
        "&#xFFFFFFFFFF;",
        "&#12a;",
        "&amp",
        "&#20013",
        "&AMP;",
        "&nbsp;",
    ]);
    let room = chance.between(reference.len(), room);
    xml(&format!("{inner}<a>{}</a>", filled(reference, room)))
}

fn depth(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let depth = if chance.below(2) == 0 { 10_000 } else { chance.between(65, room / 7) };
    let (start, end) = ("<a>".repeat(depth), "</a>".repeat(depth));
    if chance.below(2) == 0 { xml(&format!("{start}{inner}{end}")) } else { xml(&format!("{inner}{start}{end}")) }
}

fn depth_never_closed(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let tag = chance.pick(&["<a>", "<a b=''>", "<ab>", "<a >", "<a\n>"]);
    let depth = chance.between(65, room / tag.len());
    format!("<xml>{inner}{}", tag.repeat(depth)).into_bytes()
}

fn attributes_of_one(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let count = chance.between(65, room / 16);
    let attributes = numbered(count, |n| format!(" a{n}='x'"));
    if chance.below(2) == 0 {
        xml(&format!("{inner}<a{attributes}/>"))
    } else {
        format!("<xml{attributes}>{inner}</xml>").into_bytes()
    }
}

fn attributes_of_many(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let element = chance.pick(&["<a b='' c=''/>", "<a b=\"'>'\"/>", "<a b = '='></a>"]);
    let count = chance.between(65, room / element.len());
    xml(&format!("{inner}{}", element.repeat(count)))
}

fn attributes_never_ended(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let piece = chance.pick(&["x> c=\"", ">", "<", "=\"", " b=\"\"", "中"]);
    let room = chance.between(1000, room);
    format!("<xml>{inner}<a b='{}", filled(piece, room)).into_bytes()
}

fn namespaces(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let declared = numbered(chance.between(65, room / 22), |n| format!(" xmlns:n{n}='u{n}'"));
    format!("<xml{declared}>{inner}</xml>").into_bytes()
}

fn nested_namespaces(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let depth = chance.between(65, room / 30);
    let start = numbered(depth, |n| format!("<a xmlns:n{n}='u{n}'>"));
    xml(&format!("{inner}{start}{}", "</a>".repeat(depth)))
}

fn elements(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let element = chance.pick(&["<a/>", "<b/>x", "<a></a>"]);
    let count = chance.between(10_001, room / element.len());
    xml(&format!("{inner}{}", element.repeat(count)))
}

fn comments_and_instructions(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let piece = chance.pick(&["<!---->", "<?a?>", "<?ab?>", "<!---->x"]);
    let count = chance.between(10_001, room / piece.len());
    xml(&format!("{inner}{}", piece.repeat(count)))
}

fn cut_off(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let text = "x".repeat(chance.between(1, room));
    let mut whole = xml(&format!("<a><![CDATA[{text}]]></a>{inner}<!-- c --><b c='d'/>"));
    whole.truncate(chance.below(whole.len()));
    whole
}

fn sections_never_ended(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let (start, piece) = chance.pick(&[
        ("<![CDATA[", "]]"),
        ("<![CDATA[", "]>"),
        ("<![CDATA[", "<![CDATA["),
        ("<!--", "-"),
        ("<!--", "- ->"),
        ("<?a ", "?"),
        ("<?a ", "? >"),
    ]);
    let room = chance.between(1000, room);
    format!("<xml>{inner}{start}{}", filled(piece, room)).into_bytes()
}

fn wrong_nesting(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let crossed = "<a><b></a></b>".repeat(chance.between(1, room / 14));
    let ends = "</xml>".repeat(chance.between(1, room / 6));
    let text = match chance.below(8) {
        0 => format!("<xml>{inner}{crossed}</xml>"),
        1 => format!("<xml>{inner}</xml>{ends}"),
        2 => format!("<xml>{inner}</xml><xml>{inner}</xml>"),
        3 => format!("<xml>{inner}</xml>tail"),
        4 => format!("head<xml>{inner}</xml>"),
        5 => format!("<xml>{inner}</XML>"),
        6 => format!("{inner}{inner}"),
        _ => format!("{ends}<xml>{inner}</xml>"),
    };
    text.into_bytes()
}

fn declared_encoding(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let name = chance.pick(&[
        "GBK",
        "GB2312",
        "GB18030",
        "Big5",
        "UTF-7",
        "UTF-16",
        "utf-16le",
        "UTF-32",
        "UCS-4",
        "ISO-8859-1",
        "windows-1252",
        "EBCDIC-CP-US",
        "utf-8 ",
        " utf-8",
        "utf\u{2011}8",
        "",
    ]);
    let quote = chance.pick(&["\"", "'"]);
    let standalone = chance.pick(&["", " standalone=\"yes\"", " "]);
    let mark = chance.pick(&["", "\u{feff}", "\n"]);
    let head = format!("{mark}<?xml version=\"1.0\" encoding={quote}{name}{quote}{standalone}?>");
    format!("{head}<xml>{inner}</xml>").into_bytes()
}

fn other_bytes(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let text = format!("<xml>{inner}</xml>");
    let marked = chance.below(2) == 0;
    let marked = if marked { format!("\u{feff}{text}") } else { text.clone() };
    let with = |bytes: &[u8]| [b"<xml><a>".as_slice(), bytes, b"</a>", inner.as_bytes(), b"</xml>"].concat();
    match chance.below(12) {
        0 => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        1 => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        2 => marked.chars().flat_map(|character| u32::from(character).to_le_bytes()).collect(),
        3 => marked.chars().flat_map(|character| u32::from(character).to_be_bytes()).collect(),
        // 中文 in GBK.
        4 => with(b"\xd6\xd0\xce\xc4"),
        // `<` in two bytes.
        5 => [b"\xc0\xbc".as_slice(), text.trim_start_matches('<').as_bytes()].concat(),
        6 => with(b"\xed\xa0\x80"),
        7 => with(b"\xf8\x88\x80\x80\x80"),
        8 => with(b"\x80"),
        9 => with(b"\xe4\xb8"),
        10 => with(b"\0"),
        _ => text.replace('<', "+ADw-").replace('>', "+AD4-").into_bytes(),
    }
}

fn control_characters(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let mut characters: Vec<char> = ('\0'..' ').filter(|character| !character.is_ascii_whitespace()).collect();
    characters.extend(['\u{c}', '\u{fffe}', '\u{ffff}']);
    let bad = chance.pick(&characters);
    let content = match chance.below(6) {
        0 => format!("<a>{bad}</a>"),
        1 => format!("<a b='{bad}'/>"),
        2 => format!("<a{bad}/>"),
        3 => format!("<!-- {bad} -->"),
        4 => format!("<?a {bad}?>"),
        _ => format!("<![CDATA[{bad}]]>"),
    };
    xml(&format!("{inner}{content}"))
}

fn broken_tag(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let bad = chance.pick(&[
        "<a b/>",
        "<a b=1/>",
        "<a b='1' b='2'/>",
        "<a b='1'c='2'/>",
        "<a b='<'/>",
        "<a b='&lol;'/>",
        "<a b='1",
        "<n:a/>",
        "<a n:b='1'/>",
        "<a:b:c/>",
        "<1a/>",
        "<-a/>",
        "< a/>",
        "<a//>",
        "<a",
        "<>",
        "</>",
        "]]>",
        "<?xml version='1.0'?>",
        "<? a?>",
        "<!-- a -- b -->",
    ]);
    let before = "<b>x</b>".repeat(chance.below(100));
    xml(&format!("{inner}{before}{bad}"))
}

fn brackets(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let piece = chance.pick(&["<", "<a", "<a ", "<a/", "</", "</a>", "<a '", "<a \"'"]);
    let room = chance.between(1000, room);
    format!("<xml>{inner}{}", filled(piece, room)).into_bytes()
}

fn name_never_ended(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let (start, piece) = chance.pick(&[("<", "a"), ("<a ", "b"), ("</", "a"), ("<?", "a"), ("<", "中"), ("<", "a:")]);
    let room = chance.between(1000, room);
    format!("<xml>{inner}{start}{}", filled(piece, room)).into_bytes()
}

fn twins(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let count = chance.between(1, (room / inner.len()).min(100));
    let others = inner.repeat(count);
    match chance.below(3) {
        0 => xml(&format!("{inner}{others}")),
        1 => xml(&format!("<a>{others}</a>{inner}")),
        _ => xml(&format!("{inner}<a><b>{others}</b></a>")),
    }
}

fn huge_text(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let piece = chance.pick(&["x", "=", "\r", "\r\n", "中", "𠮷", "<a b='", "]] ", "&lol;", "<!DOCTYPE a>", "-->"]);
    xml(&format!("<a><![CDATA[{}]]></a>{inner}", filled(piece, room)))
}

fn many_sections(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let piece = chance.pick(&["<![CDATA[x]]>", "<![CDATA[]]>", "<![CDATA[\r]]>", "x<![CDATA[<]]>"]);
    xml(&format!("<a>{}</a>{inner}", filled(piece, room)))
}

fn character_references(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let piece = chance.pick(&["&#20013;", "&#x4e2d;", "&amp;", "&lt;", "&#10;", "&#x20bb7;"]);
    xml(&format!("<a>{}</a>{inner}", filled(piece, room)))
}

fn prefixes(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let declared = numbered(64, |n| format!(" xmlns:n{n}='u{n}'"));
    let element = format!("<n{}:a/>", chance.below(64));
    let elements = element.repeat((room / 16).min(9_000));
    format!("<xml{declared}>{elements}{inner}</xml>").into_bytes()
}

fn depth_within_the_limit(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let depth = chance.between(1, 60);
    let nested = format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    xml(&format!("{}{inner}", nested.repeat(9_000 / depth)))
}

fn instructions_within_the_limit(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let piece = chance.pick(&["<?a b?>", "<!-- -->", "<?a <!DOCTYPE a>?>"]);
    xml(&format!("{}{inner}", piece.repeat(chance.between(1, 5_000))))
}

fn inclusions(chance: &mut Chance, inner: &str, _: usize) -> Vec<u8> {
    let piece = chance.pick(&[
        "<i:include xmlns:i='http://www.w3.org/2001/XInclude' href='file:///etc/passwd' parse='text'/>",
        "<?xml-stylesheet type='text/xsl' href='http://127.0.0.1:9/x.xsl'?>",
        "<a xmlns:s='http://www.w3.org/2001/XMLSchema-instance' s:schemaLocation='u http://127.0.0.1:9/x.xsd'/>",
        "<a xml:base='file:///etc/'/>",
    ]);
    xml(&format!("{}{inner}", piece.repeat(chance.between(1, 20))))
}

fn long_name(chance: &mut Chance, inner: &str, room: usize) -> Vec<u8> {
    let name = filled(chance.pick(&["a", "ab-c.d", "中"]), room / 2);
    if chance.below(2) == 0 { xml(&format!("<{name}/>{inner}")) } else { xml(&format!("{inner}<{name}></{name}>")) }
}
