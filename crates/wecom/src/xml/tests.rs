use proptest::prelude::*;

use super::*;

fn why(text: &str) -> Option<&'static str> {
    parse(text).err()
}

/// All elements with their texts, in the order of their start tags.
fn read(text: &str) -> Result<Vec<(String, Option<String>)>, &'static str> {
    let document = parse(text)?;
    let element = |(at, held): (usize, &Held<'_>)| {
        let element = Element(&document.0[at..at + held.size]);
        (element.name().to_owned(), element.text().map(str::to_owned))
    };
    Ok(document.0.iter().enumerate().map(element).collect())
}

#[test]
fn only_utf8_may_be_declared() {
    for good in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>",
        "\u{feff}<?xml version='1.0' encoding = 'utf-8' standalone='yes'?>\n<a/>",
        " \n<?xml version='1.0'?><a>encoding='GBK'</a>",
        "<a/>",
    ] {
        assert_eq!(why(good), None, "{good}");
    }
    for encoding in ["GBK", "UTF-16", "utf-7", "", "ISO-8859-1", "utf-8 "] {
        let text = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><a/>");
        assert_eq!(why(&text), Some("xml_encoding"), "{encoding}");
    }
}

#[test]
fn a_declaration_is_complete_and_comes_first() {
    for good in ["<?xml version='1.0'?><a/>", "<?xml\nversion = \"1.0\" standalone='no' ?><a/>", "<?xml-a b?><a/>"] {
        assert_eq!(why(good), None, "{good}");
    }
    for bad in [
        "<?xml version='1.0'?>",
        "<?xml?><a/>",
        "<?xml ?><a/>",
        "<?xml encoding='utf-8'?><a/>",
        "<?xml version='1.0' version='1.0'?><a/>",
        "<?xml version='1.0' standalone='yes' encoding='utf-8'?><a/>",
        "<?xml version='1.0'encoding='utf-8'?><a/>",
        "<?xml version='1.0' other=''?><a/>",
        "<?xml version=1.0?><a/>",
        "<?xml version='<'?><a/>",
        "<?xml version='1.0'?><?xml version='1.0'?><a/>",
        "<!-- c --><?xml version='1.0'?><a/>",
        "<a><?xml version='1.0'?></a>",
        "<a><?xml?></a>",
        "<a/><?xml version='1.0'?>",
        "<?xml version='1.0'",
    ] {
        assert_eq!(why(bad), Some("xml_syntax"), "{bad}");
    }
}

#[test]
fn document_types_are_refused() {
    for bad in [
        "<!DOCTYPE a><a/>",
        "<!doctype a><a/>",
        "<!-- c --><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!DOCTYPE",
        "<a><!DOCTYPE a></a>",
        "<a>b<!ELEMENT a ANY></a>",
        "<a/><!ENTITY b 'c'>",
        "<a><!></a>",
        "<!",
    ] {
        assert_eq!(why(bad), Some("xml_document_type"), "{bad}");
    }
}

#[test]
fn text_is_put_together_and_elements_in_it_are_noticed() {
    let document = parse("<a><b>x<![CDATA[<y>]]>&amp;<!-- no -->z<?no no?></b><c/><d>x<e/>y</d><f>\n</f></a>").unwrap();
    assert_eq!((document.root().name(), document.root().text()), ("a", None));
    let children: Vec<_> = document.root().elements().map(|element| (element.name(), element.text())).collect();
    assert_eq!(children, [("b", Some("x<y>&z")), ("c", Some("")), ("d", None), ("f", Some("\n"))]);
}

#[test]
fn elements_are_found_where_they_are() {
    let document = parse("<a><b><c/><c><d>1</d></c></b><n:b xmlns:n='u'><c>2</c></n:b></a>").unwrap();
    let children =
        |element: Element<'_>| element.elements().map(|element| element.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(children(document.root()), ["b", "b"]);
    let below: Vec<_> = document.root().elements().map(children).collect();
    assert_eq!(below, [vec!["c", "c"], vec!["c"]]);
    assert!(document.repeats("b") && document.repeats("c"));
    assert!(!document.repeats("a") && !document.repeats("d") && !document.repeats("e"));
}

#[test]
fn lines_end_in_one_way() {
    let document =
        parse("<a><b>w\r\nx\ry\n\r\rz\r</b><c><![CDATA[\r\n\r]]>\n</c><d>&#13;&#10;\r&#13;</d></a>").unwrap();
    let texts: Vec<_> = document.root().elements().map(Element::text).collect();
    assert_eq!(texts, [Some("w\nx\ny\n\n\nz\n"), Some("\n\n\n"), Some("\r\n\n\r")]);
}

#[test]
fn references_stand_for_characters() {
    let text = "<a b='&lt;&#34;'>&amp;&lt;&gt;&quot;&apos;&#65;&#0065;&#x4e2D;&#x20BB7;&#9;&#x10ffff;</a>";
    assert_eq!(parse(text).unwrap().root().text(), Some("&<>\"'AA中𠮷\t\u{10ffff}"));
    for bad in [
        "&",
        "&;",
        "& ;",
        "&amp",
        "&amp ;",
        "&AMP;",
        "&nbsp;",
        "&a&amp;",
        "&#;",
        "&#x;",
        "&#X41;",
        "&#4_1;",
        "&#+65;",
        "&#-65;",
        "&#x+41;",
        "&#12a;",
        "&#0;",
        "&#8;",
        "&#xd800;",
        "&#xfffe;",
        "&#xFFFF;",
        "&#x110000;",
        "&#99999999999;",
    ] {
        assert_eq!(why(&format!("<a>{bad}</a>")), Some("xml_syntax"), "{bad}");
        assert_eq!(why(&format!("<a>{bad}")), Some("xml_syntax"), "{bad}");
        assert_eq!(why(&format!("<a b='{bad}'/>")), Some("xml_syntax"), "{bad}");
    }
}

#[test]
fn there_is_one_root_and_all_is_closed() {
    for good in ["<a/>", "<a ></a\n>", "<!-- b --><?b?>\n<a/>\r\n<!-- b --> <?b c?>\t", "<a><a/><a></a></a>"] {
        assert_eq!(why(good), None, "{good}");
    }
    for bad in [
        "",
        "a",
        "&amp;",
        "<!-- a -->",
        "<?a?>",
        "<![CDATA[a]]>",
        "<a/><a/>",
        "<a></a><b>",
        "<a/>b",
        "<a/>&#32;",
        "<a/><![CDATA[]]>",
        "<a/>\u{a0}",
        "a<a/>",
        "<a/></a>",
        "</a>",
        "<a>",
        "<a><b></b>",
        "<a><b></a></b>",
        "<a></A>",
        "<a></b>",
        "<n:a xmlns:n='u'></a>",
        "<a></ a>",
        "<a></a b='c'>",
        "<a></>",
        "<a",
        "<a></a",
        "<",
    ] {
        assert_eq!(why(bad), Some("xml_syntax"), "{bad}");
    }
}

#[test]
fn forbidden_characters_are_refused_wherever_they_are() {
    let all_but_white = ('\0'..' ').filter(|character| !WHITE.contains(character));
    for bad in all_but_white.chain(['\u{fffe}', '\u{ffff}']) {
        for place in [
            format!("<a>{bad}</a>"),
            format!("<a><![CDATA[{bad}]]></a>"),
            format!("<a><!-- {bad} --></a>"),
            format!("<a><?b {bad}?></a>"),
            format!("<a b='{bad}'/>"),
            format!("<a{bad}/>"),
            format!("<a/>{bad}"),
        ] {
            assert_eq!(why(&place), Some("xml_syntax"), "{place:?}");
        }
    }
    let good = "\t\n ~\u{7f}\u{80}\u{85}\u{2028}，\u{feff}\u{fffd}\u{efff}\u{10000}\u{1fffe}\u{10ffff}";
    assert_eq!(parse(&format!("<a>{good}</a>")).unwrap().root().text(), Some(good));
}

#[test]
fn names_are_names() {
    for good in ["a", "_", "A-b.c_1", "é", "中文", "a\u{b7}\u{300}\u{203f}", "𠮷"] {
        assert_eq!(why(&format!("<{good}></{good}>")), None, "{good}");
        assert_eq!(why(&format!("<a {good}=''/>")), None, "{good}");
    }
    for bad in ["", "1", "-a", ".a", "\u{b7}", "\u{300}a", "a+", "a'", "a\"", "a<", "a/b", "×", "a\u{37e}", "\u{2190}"]
    {
        assert_eq!(why(&format!("<{bad}/>")), Some("xml_syntax"), "{bad}");
        assert_eq!(why(&format!("<a {bad}=''/>")), Some("xml_syntax"), "{bad}");
    }
    for bad in ["<?1?>", "<? a?>", "<??>", "<?>"] {
        assert_eq!(why(&format!("<a>{bad}</a>")), Some("xml_syntax"), "{bad}");
    }
}

#[test]
fn prefixes_are_declared() {
    for good in [
        "<n:a xmlns:n='u'/>",
        "<n:a n:b='' xmlns:n='u'><n:a><m:a xmlns:m='u'/></n:a></n:a>",
        "<a xml:lang='zh' xmlns='u' b='' n:b='' xmlns:n='v'/>",
        "<a><n:a xmlns:n='u'/><n:a xmlns:n='v'></n:a></a>",
    ] {
        assert_eq!(why(good), None, "{good}");
    }
    for bad in [
        "<n:a/>",
        "<a n:b=''/>",
        "<n:a xmlns='u'/>",
        "<n:a xmlns:N='u'/>",
        "<a><b xmlns:n='u'/><n:c/></a>",
        "<a><b xmlns:n='u'></b><n:c/></a>",
        "<a><b xmlns:n='u'><c/></b><d n:e=''/></a>",
        "<xmlns:a/>",
        "<:a/>",
        "<a:/>",
        "<n:a:b xmlns:n='u'/>",
        "<n:1 xmlns:n='u'/>",
        "<a xmlns:='u'/>",
    ] {
        assert_eq!(why(bad), Some("xml_syntax"), "{bad}");
    }
}

#[test]
fn attributes_are_attributes() {
    for good in ["<a b='' c=\"d\"/>", "<a\tb\n=\r'>\"&gt;' \n/>", "<a b=\"'\" B=']]>'></a>"] {
        assert_eq!(why(good), None, "{good}");
    }
    for bad in [
        "<a b/>",
        "<a b=/>",
        "<a b=c/>",
        "<a =''/>",
        "<a ''/>",
        "<a''/>",
        "<a b=''c=''/>",
        "<a b=''/ >",
        "<a b='' / >",
        "<a /b=''>",
        "<a//>",
        "<a b=''//>",
        "<a b='' b=''/>",
        "<n:a n:b='' n:b='' xmlns:n='u'/>",
        "<a xmlns:n='u' xmlns:n='u'/>",
        "<a b='<'/>",
        "<a b='<!-- -->'/>",
        "<a b c=''/>",
        "<a b=\"'/>",
        "<a b='",
        "< a/>",
        "<a b='c'd/>",
    ] {
        assert_eq!(why(bad), Some("xml_syntax"), "{bad}");
    }
}

#[test]
fn comments_sections_and_texts_end_where_they_must() {
    for good in [
        "<a><!----></a>",
        "<a><!-- - > -> <b> & ]]> --></a>",
        "<a><![CDATA[]]]]></a>",
        "<a><![CDATA[ ]] > ]> <![CDATA[ & <!-- ]]></a>",
        "<a>]] ></a>",
        "<a>]]&gt;</a>",
        "<a>> ]>=\"'</a>",
        "<a>]]<!-- -->></a>",
        "<a><?b ? > <c> & --> ]]> ?></a>",
    ] {
        assert_eq!(why(good), None, "{good}");
    }
    for bad in [
        "<a><!-- -- --></a>",
        "<a><!-- ---></a>",
        "<a><!-----></a>",
        "<a><!--></a>",
        "<a><!---></a>",
        "<a><!-- </a>",
        "<a><![CDATA[ ]] ></a>",
        "<a><![CDATA[]></a>",
        "<a>]]></a>",
        "<a>b]]]>c</a>",
        "<a><b/> ]]> </a>",
        "<a><?b </a>",
    ] {
        assert_eq!(why(bad), Some("xml_syntax"), "{bad}");
    }
}

#[test]
fn limits_count_what_is_markup_only() {
    let equals = "=".repeat(1000);
    assert_eq!(why(&format!("<a b='{equals}>'>{equals}<![CDATA[<x {equals}>]]><!-- <x {equals}> --></a>")), None);
    let attributes = |count: usize| (0..count).map(|n| format!(" a{n}='>'")).collect::<String>();
    assert_eq!(why(&format!("<a{}/>", attributes(MOST_ATTRIBUTES))), None);
    assert_eq!(why(&format!("<a{}/>", attributes(MOST_ATTRIBUTES + 1))), Some("xml_too_large"));
    let hidden = attributes(MOST_ATTRIBUTES + 1);
    for (start, end) in [("<!--> <![CDATA[ -->", "<!-- ]]> -->"), ("<?a <!-- ?>", "<!-- -->"), ("<b c='<!--'/>", "")] {
        assert_eq!(why(&format!("<a>{start}<a{hidden}/>{end}</a>")), Some("xml_too_large"), "{start}");
    }
    let nested = |depth: usize| "<a>".repeat(depth) + "<b/>" + &"</a>".repeat(depth);
    assert_eq!(why(&nested(DEEPEST)), None);
    assert_eq!(why(&nested(DEEPEST + 1)), Some("xml_too_large"));
}

#[test]
fn nodes_are_elements_comments_instructions_and_texts() {
    for (node, each) in
        [("<b/>", 1), ("<b>c</b>", 2), ("<b/>c", 2), ("<!---->", 1), ("<?b?>", 1), ("c<![CDATA[]]>&lt;<?d?>", 2)]
    {
        let fitting = (MOST_NODES - 1) / each;
        assert_eq!(why(&format!("<a>{}</a>", node.repeat(fitting))), None, "{node}");
        assert_eq!(why(&format!("<a>{}</a>", node.repeat(fitting + 1))), Some("xml_too_large"), "{node}");
    }
    assert_eq!(why(&format!("<a>{}</a>", "b<![CDATA[c]]>&amp;".repeat(MOST_NODES))), None);
    assert_eq!(why(&format!("{}<a/>", "<!-- --> ".repeat(MOST_NODES))), Some("xml_too_large"));
}

/// The same by a reader that is not ours.
fn read_by_another(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let document = roxmltree::Document::parse(text).ok()?;
    let text_of = |element: roxmltree::Node<'_, '_>| {
        let holds_elements = element.children().any(|child| child.is_element());
        let texts = element.children().filter(roxmltree::Node::is_text).filter_map(|text| text.text());
        (!holds_elements).then(|| texts.collect::<String>())
    };
    let elements = document.descendants().filter(roxmltree::Node::is_element);
    Some(elements.map(|element| (element.tag_name().name().to_owned(), text_of(element))).collect())
}

/// Pieces of documents, whole ones and broken ones.
fn piece() -> impl Strategy<Value = &'static str> {
    let whole = prop::sample::select(vec![
        "x",
        " ",
        "\n",
        "\r\nx",
        "中",
        "=",
        "<b/>",
        "<b>x</b>",
        "<b >\n</b >",
        "<b c='1' d=\">'\"/>",
        "<b><c/>x</b>",
        "<b><![CDATA[<x>]]]]></b>",
        "<b>&lt;<!-- c -->&#x4e2d;</b>",
        "<n:b xmlns:n='u'><n:c n:d='&amp;'/></n:b>",
        "<!-- -> -->",
        "<?p <q>?>",
        "<![CDATA[&]]>",
        "&amp;",
        "&#10;",
    ]);
    let broken = prop::sample::select(vec![
        "<a>",
        "</a>",
        "<b>",
        "</b>",
        "<n:b xmlns:n='u'>",
        "</n:b>",
        "<n:b/>",
        "<",
        ">",
        "/",
        "/>",
        "'",
        "\"",
        "&",
        ";",
        "-",
        "]",
        "]]>",
        "<!--",
        "-->",
        "<![CDATA[",
        "<?p ",
        "?>",
        "\u{1}",
        "\u{ffff}",
    ]);
    prop_oneof![4 => whole, 1 => broken]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn another_reader_reads_the_same(pieces in prop::collection::vec(piece(), 0..12), is_in_root in any::<bool>()) {
        let content = pieces.concat();
        let text = if is_in_root { format!("<a>{content}</a>") } else { content };
        prop_assert_eq!(read(&text).ok(), read_by_another(&text), "{}", text);
    }
}
