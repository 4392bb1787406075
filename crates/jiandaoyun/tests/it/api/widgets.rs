//! The fields of a form.

use common::UnixMillis;
use serde_json::json;

use super::{Reply, World, form};

#[tokio::test]
async fn fields_are_known_by_alias_and_by_widget_id() {
    let world = World::new(|_| {
        Reply::json(
            json!({"widgets": [
                {"name": "_widget_1", "widgetName": "_widget_1", "label": "姓名", "type": "text"},
                {"name": "mobile", "widgetName": "_widget_2", "label": "手机号", "type": "phone"},
                {"name": "_widget_3", "widgetName": "_widget_3", "label": "教育经历", "type": "subform",
                 "items": [{"name": "school", "widgetName": "_widget_31", "label": "学校", "type": "text"}]},
                {"name": "_widget_4", "type": "something_new"}, {"odd": true}, 7,
            ], "sysWidgets": [{"name": "flowState"}, {"name": "creator"}], "dataModifyTime": "2021-09-08T03:40:26.586Z", "more": 1})
            .to_string(),
        )
    })
    .await;
    let widgets = world.client.widgets(&form()).await.unwrap().value;
    assert_eq!((widgets.widgets.len(), widgets.has_flow), (4, true));
    assert_eq!(widgets.modified_at, UnixMillis::from_rfc3339("2021-09-08T03:40:26.586Z"));
    for name in ["mobile", "_widget_2"] {
        let widget = widgets.find(name).unwrap();
        assert_eq!(
            (widget.name.as_str(), widget.widget_name.as_str(), widget.kind.as_str()),
            ("mobile", "_widget_2", "phone")
        );
    }
    assert_eq!(widgets.find("_widget_3").unwrap().item("_widget_31").unwrap().name, "school");
    assert_eq!(widgets.find("_widget_4").unwrap().widget_name, "_widget_4");
    assert_eq!(widgets.find("手机号"), None, "a label is no name");
}

#[tokio::test]
async fn a_plain_form_has_no_workflow() {
    for system in [json!([{"name": "creator"}]), json!(null), json!("flowState"), json!(["flowState"])] {
        let body = json!({"widgets": [], "sysWidgets": system}).to_string();
        let world = World::new(move |_| Reply::json(body.clone())).await;
        assert!(!world.client.widgets(&form()).await.unwrap().value.has_flow, "{system}");
    }
    let world = World::new(|_| Reply::json("{}")).await;
    assert_eq!(world.client.widgets(&form()).await.unwrap_err().label(), "incomplete");
}
