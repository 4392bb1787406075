//! Forms and submissions for tests and the demo.

mod hires;

pub use hires::{Flaw, Hire, HireOptions, hires};

use super::{FormId, Kind, NewForm, Widget};

/// The field of [`contract_form`] that the status is written to.
pub const STATUS: &str = "_widget_1009";

/// The form of the mapping file that the contract shows: five texts, and one more for the status that is written back.
#[must_use]
pub fn contract_form() -> NewForm {
    let text = |id: &str, label: &str| Widget::new(id, Kind::Text, label);
    let widgets = vec![
        text("_widget_1001", "姓名"),
        text("_widget_1002", "手机号"),
        text("_widget_1003", "部门"),
        text("_widget_1004", "职务"),
        text("_widget_1005", "工号"),
        text(STATUS, "企业微信账号"),
    ];
    NewForm::workflow(FormId::new("64a0c0ffee000000000000aa", "64a0c0ffee000000000000bb"), "入职登记", widgets)
}

/// A form with a field of each type, every second one under an alias.
#[must_use]
pub fn rich_form() -> NewForm {
    let kinds = [
        ("name", Kind::Text, "姓名"),
        ("remark", Kind::Textarea, "备注"),
        ("seat", Kind::Number, "工位"),
        ("starts", Kind::Datetime, "入职日期"),
        ("gender", Kind::Radio, "性别"),
        ("site", Kind::Combo, "工作地点"),
        ("skills", Kind::Checkboxes, "技能"),
        ("languages", Kind::ComboCheck, "语言"),
        ("home", Kind::Address, "家庭住址"),
        ("place", Kind::Location, "定位"),
        ("mobile", Kind::Phone, "手机号"),
        ("leader", Kind::User, "直属上级"),
        ("mentors", Kind::UserGroup, "导师"),
        ("team", Kind::Dept, "部门"),
        ("teams", Kind::DeptGroup, "兼任部门"),
        ("photo", Kind::Image, "照片"),
        ("papers", Kind::Upload, "附件"),
        ("signed", Kind::Signature, "签名"),
        ("schools", Kind::Subform, "教育经历"),
        ("position", Kind::LinkData, "选择岗位"),
        ("post", Kind::Lookup, "关联岗位"),
        ("number", Kind::Sn, "流水号"),
        ("months", Kind::Aggregation, "工龄"),
        ("letter", Kind::Richtext, "自我介绍"),
        ("stage", Kind::Other("sale_stage"), "阶段"),
    ];
    let widgets = kinds.into_iter().enumerate().map(|(number, (alias, kind, label))| {
        let widget = Widget::new(&format!("_widget_{}", 2_001 + number), kind, label);
        let widget = if kind == Kind::Subform { widget.items(school()) } else { widget };
        if number % 2 == 0 { widget.alias(alias) } else { widget }
    });
    let id = FormId::new("64a0c0ffee000000000000aa", "64a0c0ffee000000000000cc");
    NewForm::workflow(id, "入职登记（全字段）", widgets.collect())
}

/// The fields of 教育经历.
fn school() -> Vec<Widget> {
    vec![
        Widget::new("_widget_2101", Kind::Text, "学校").alias("school"),
        Widget::new("_widget_2102", Kind::Datetime, "毕业时间"),
    ]
}
