use serde_json::json;

use super::*;

fn pipeline(convert: &Value) -> Result<Vec<Conversion>, Vec<&'static str>> {
    let mut findings = Findings::default();
    let read = Conversion::read_all(convert, "convert", &mut findings);
    findings.finish(Some(read)).map(|(read, _)| read).map_err(|all| all.iter().map(|problem| problem.word).collect())
}

fn converted(convert: Value, value: Value) -> Result<Value, Reason> {
    let pipeline = pipeline(&convert).unwrap();
    pipeline.iter().try_fold(value, |value, conversion| conversion.apply(value, &Zone::china()))
}

#[test]
fn each_does_what_its_name_says() {
    let department = json!({"name": "研发部", "dept_no": 12});
    let table = json!({"lookup": {"table": {"研发部": 12, "销售部": [3, 4], "xj": "xiaojian"}}});
    for (convert, value, meant) in [
        (json!("trim"), json!("  a b\u{3000}"), json!("a b")),
        (json!(["trim", "lower"]), json!(" ÀB "), json!("àb")),
        (json!("upper"), json!(["a", "b"]), json!(["A", "B"])),
        (json!("first"), json!(["", "b", "c"]), json!("b")),
        (json!("first"), json!("b"), json!("b")),
        (json!("join"), json!(["a", null, "b"]), json!("a,b")),
        (json!({"join": " / "}), json!(["a", "b"]), json!("a / b")),
        (json!({"split": "、"}), json!("a、 b、"), json!(["a", "b"])),
        (json!("phone"), json!({"phone": "+86 138-0013-8000"}), json!("13800138000")),
        (json!("date"), json!("2026-11-30T16:00:00.000Z"), json!("2026-12-01")),
        (json!("timestamp"), json!("2026-11-30T16:00:00.000Z"), json!(1_796_054_400)),
        (json!("timestamp_ms"), json!("2026年12月1日"), json!(1_796_054_400_000_i64)),
        (json!("iso8601"), json!("2026-12-01"), json!("2026-12-01T00:00:00+08:00")),
        (json!("int_list"), json!("[1,2]"), json!([1, 2])),
        (json!("bool"), json!("否"), json!(false)),
        (table.clone(), json!(" 研发部 "), json!(12)),
        (table.clone(), json!(["研发部", "销售部"]), json!([12, 3, 4])),
        (table.clone(), department.clone(), json!(12)),
        (table.clone(), json!({"username": "xj", "name": "小简"}), json!("xiaojian")),
        (json!({"lookup": {"12": 99}}), department, json!(99)),
        (json!({"lookup": {"table": {"a": 1}, "default": 2}}), json!("b"), json!(2)),
        (json!(null), json!("x"), json!("x")),
    ] {
        assert_eq!(converted(convert.clone(), value), Ok(meant), "{convert}");
    }
}

#[test]
fn what_is_blank_stays_so_and_what_cannot_become_anything_says_why() {
    for convert in ["trim", "first", "join", "split", "phone", "date", "int_list", "bool"] {
        for blank in [json!(null), json!(" "), json!([]), json!({})] {
            assert_eq!(converted(json!(convert), blank), Ok(Value::Null), "{convert}");
        }
    }
    for (convert, value, reason) in [
        (json!("date"), json!("soon"), Reason::NoDate),
        (json!("phone"), json!("12"), Reason::NoMobile),
        (json!("int_list"), json!("a"), Reason::NoNumber),
        (json!("bool"), json!("maybe"), Reason::NoFlag),
        (json!({"lookup": {"a": 1}}), json!("b"), Reason::NotInTable),
        (json!({"lookup": {"a": 1}}), json!(["a", "b"]), Reason::NotInTable),
        (json!("trim"), json!([{"url": "x"}]), Reason::NotUsable),
    ] {
        assert_eq!(converted(convert.clone(), value), Err(reason), "{convert}");
    }
}

#[test]
fn what_is_no_conversion_is_refused() {
    for (convert, word) in [
        (json!("eval"), "unknown_conversion"),
        (json!({"trim": "x"}), "bad_argument"),
        (json!({"join": 7}), "bad_argument"),
        (json!("lookup"), "bad_argument"),
        (json!({"lookup": {}}), "bad_argument"),
        (json!({"trim": null, "lower": null}), "bad_shape"),
        (json!([7]), "no_text"),
        (json!(vec!["trim"; 17]), "too_many"),
    ] {
        assert_eq!(pipeline(&convert), Err(vec![word]), "{convert}");
    }
}
