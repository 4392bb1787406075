//! Why a record of a form makes nobody, in both languages.

use jiandaoyun::mapping::{Reason, Why};

use crate::Language;

/// Why a value cannot be sent.
pub(crate) fn reason(language: Language, reason: &Reason) -> String {
    match language {
        Language::English => reason.to_string(),
        Language::Chinese => chinese(reason),
    }
}

fn chinese(reason: &Reason) -> String {
    let told = match reason {
        Reason::Missing => "没有值",
        Reason::NoMobile => "不是手机号码",
        Reason::NoEmail => "不是邮箱地址",
        Reason::NoUserid => "不是 UserID：只能由字母、数字和 _ - @ . 组成，首位为字母或数字，最多 64 位",
        Reason::NoDepartment => "不是部门 ID；部门名称需用 lookup 转换",
        Reason::NotInDepartments => "主部门不在所属部门之中",
        Reason::NotAsManyAsDepartments => "个数须与部门个数一致",
        Reason::NoGender => "不是性别",
        Reason::NoTelephone => "不是座机号码：只能由数字、- + 和逗号组成，最多 32 位",
        Reason::NoFlag => "既不是“是”也不是“否”",
        Reason::NoNumber => "不是整数",
        Reason::NoDate => "不是日期",
        Reason::NoAttributes => "不是扩展属性列表",
        Reason::Length { least, most, unit } => {
            let unit = if *unit == "bytes" { "字节" } else { "字" };
            return format!("长度须为 {least} 至 {most} {unit}");
        }
        Reason::TooMany { most } => return format!("最多 {most} 个"),
        Reason::NotOneOf => "不是允许的值",
        Reason::NotInTable => "对照表中没有此值",
        Reason::NotUsable => "此类型的值无法发送",
        Reason::NeitherMobileNorEmail => "手机号码和邮箱都没有",
    };
    told.to_owned()
}

/// Why a record is not taken.
pub(crate) fn left_out(language: Language, why: &Why) -> String {
    let (english, chinese) = match why {
        Why::NotApproved => ("its workflow did not run to its end (flowState)", "流程尚未通过（flowState）"),
        Why::BeforeStart => ("it was made before the start", "创建时间早于 start"),
        Why::BeforeSince => ("it was changed before the time that is asked about", "更新时间早于查询范围"),
        Why::NoTime => ("it does not tell when it was made or changed", "没有创建或更新时间"),
        Why::Condition { field } => {
            return match language {
                Language::English => format!("it does not fit the condition on {field}"),
                Language::Chinese => format!("不符合 {field} 的条件"),
            };
        }
    };
    let told = match language {
        Language::English => english,
        Language::Chinese => chinese,
    };
    told.to_owned()
}
