//! The command line's help, in Chinese where that is asked for.

use clap::{Command, CommandFactory};

use crate::{Language, arguments::Arguments};

/// The commands with their help in a language.
pub(crate) fn command(language: Language) -> Command {
    let command = Arguments::command();
    match language {
        Language::English => command,
        Language::Chinese => translate(command, ""),
    }
}

fn translate(command: Command, path: &str) -> Command {
    let mut command = command;
    if let Some(about) = chinese(path) {
        command = command.about(about);
    }
    let command = command.mut_args(|argument| match chinese_argument(path, argument.get_id().as_str()) {
        Some(help) => argument.help(help),
        None => argument,
    });
    command.mut_subcommands(|sub| {
        let below = format!("{path} {}", sub.get_name()).trim_start().to_owned();
        translate(sub, &below)
    })
}

fn chinese(key: &str) -> Option<&'static str> {
    CHINESE.iter().find(|(known, _)| *known == key).map(|(_, text)| *text)
}

fn chinese_argument(path: &str, id: &str) -> Option<&'static str> {
    chinese(&format!("{path}/{id}")).or_else(|| chinese(&format!("*/{id}")))
}

/// By the command's path, by `path/argument`, or by `*/argument` for all paths.
const CHINESE: &[(&str, &str)] = &[
    ("", "OrgBridge：让核心业务系统和 OA 与企业微信、钉钉的通讯录保持一致"),
    ("demo", "在模拟平台上演示全部流程"),
    ("serve", "在一个进程中运行全部服务"),
    ("config", "查看配置"),
    ("config check", "检查配置文件以及 tenants_dir 中的租户文件"),
    ("migrate", "升级数据库结构"),
    ("tenant", "添加、列出、查看、移除租户"),
    ("tenant apply", "添加租户或更新其设置"),
    ("tenant list", "列出租户"),
    ("tenant show", "查看租户（不含密钥）"),
    ("tenant doctor", "检查租户能否正常工作，并说明需要做什么"),
    ("tenant remove", "移除租户；已写入目标系统的数据保留"),
    ("parked", "正在等待其他对象的部门和成员，以及其考勤记录和审批"),
    ("parked list", "列出等待中的对象，最久的在前"),
    ("parked show", "查看等待中对象的全部信息"),
    ("dead", "已放弃的事件和变更（死信）"),
    ("dead list", "列出死信，最早的在前"),
    ("dead show", "查看一条死信及其内容"),
    ("dead replay", "重新处理死信"),
    ("dead discard", "丢弃一条死信"),
    ("deliveries", "发送记录与对方的应答"),
    ("deliveries list", "列出发送记录，最新的在前"),
    ("deliveries replay", "按当前状态重新发送自某版本或某时刻以来的变化；都不给则全部重发"),
    ("destination", "变更的去向：暂停、恢复投递，补发丢失的内容"),
    ("destination pause", "暂停投递，直到恢复；期间的变更会保留"),
    ("destination resume", "恢复投递，先补上保留的变更"),
    (
        "destination reset",
        "按当前状态重新发送目标自某版本起可能丢失的内容（例如从备份还原之后），包括移除；不给版本则全部重发",
    ),
    ("destination reset/from", "从此版本起"),
    ("sync", "把租户的通讯录与核心库比对，并使核心库与之一致"),
    ("sync plan", "生成并显示计划，不做任何改动"),
    ("sync apply", "执行计划：已有待执行的计划则执行它，否则生成新的计划"),
    ("sync allow", "放行因移除过多而等待人工确认的任务"),
    ("sync reject", "拒绝等待中的任务，不执行其任何内容"),
    ("sync status", "查看租户最近一次任务的状态"),
    ("sync diff", "显示当前的差异"),
    ("sync undo", "把数据恢复到某次任务之前的样子，并暂停该目标的对账，直到恢复"),
    ("sync resume", "恢复某个目标的对账"),
    ("sync allow/run", "任务 ID"),
    ("sync reject/run", "任务 ID"),
    ("sync undo/run", "任务 ID"),
    ("sync apply/yes", "不再询问"),
    ("sync apply/detach", "不等待结束"),
    ("link", "核心库的哪一行对应哪个部门或成员；另一平台的人对应哪个成员"),
    ("link set", "指定某一行就是某个部门或成员，或另一平台的某人就是某个成员"),
    ("link list", "列出对应关系"),
    ("link remove", "取消对应关系；给出行 ID 时，表示该行不是这个部门或成员"),
    ("link set/member", "此人对应的成员 ID"),
    ("link list/platform", "改为列出此平台的人：dingtalk"),
    ("*/platform", "另一平台：dingtalk"),
    ("*/person", "此人在该平台的 ID"),
    ("mapping", "表单数据如何成为成员"),
    ("mapping check", "检查映射：哪些问题使其无法使用，哪些写法不规范"),
    ("mapping preview", "逐字段显示一条数据的处理结果"),
    ("mapping list", "列出已读取的表单数据及其结果"),
    ("mapping list/state", "仅限此状态：seen、sent、created、refused 或 failed"),
    ("mapping preview/record", "数据文件：表单 API 返回的 JSON 对象"),
    ("*/file", "映射文件；两部分各为一个文件时，为 source 部分"),
    ("*/target", "target 部分单独成文件时，其文件"),
    ("*/time_zone", "日期零点所在的时区，即租户的时区"),
    ("health", "询问本机按此配置运行的进程是否就绪"),
    ("quota", "平台计量项目本月的用量"),
    ("*/kind", "department 或 member"),
    ("*/platform_id", "平台侧的 ID"),
    ("*/core_id", "核心库中行的 ID"),
    ("spool", "消息中间件不可用期间网关接收的回调"),
    ("spool drain", "把已停用网关的数据目录中留存的回调发布到消息中间件"),
    ("completions", "输出命令行补全脚本"),
    ("/config", "配置文件；默认为 ./orgbridge.toml，没有则用默认值"),
    ("demo/once", "演示结束即退出；源、核心库、OA 三方一致且无丢失时退出码为 0"),
    ("demo/members", "模拟公司导入的成员数"),
    ("demo/seed", "随机种子，相同种子结果相同"),
    ("demo/json", "最后一行输出一个 JSON 对象"),
    ("serve/only", "只运行这些服务"),
    ("tenant apply/files", "租户文件"),
    ("parked show/kind", "department、member、attendance、approval 或 onboarding"),
    ("parked show/id", "其 ID"),
    ("dead show/id", "死信 ID"),
    ("dead discard/id", "死信 ID"),
    ("dead replay/ids", "死信 ID"),
    ("dead replay/all", "某租户的全部死信"),
    ("dead replay/reason", "仅限此原因"),
    ("deliveries list/limit", "最多条数"),
    ("deliveries replay/from", "从此版本起"),
    ("spool drain/directory", "网关的数据目录"),
    ("*/id", "租户 ID"),
    ("*/tenant", "租户 ID"),
    ("*/destination", "目标 ID"),
    ("*/since", "起始时间：RFC 3339，或 30m、2h、7d 之前"),
    ("*/json", "输出 JSON"),
    ("*/shell", "Shell 名称"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn untranslated(command: &Command, path: &str, missing: &mut Vec<String>) {
        if chinese(path).is_none() {
            missing.push(path.to_owned());
        }
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            if chinese_argument(path, id).is_none() && !["help", "version"].contains(&id) {
                missing.push(format!("{path}/{id}"));
            }
        }
        for sub in command.get_subcommands() {
            untranslated(sub, format!("{path} {}", sub.get_name()).trim_start(), missing);
        }
    }

    #[test]
    fn every_command_and_argument_has_a_chinese_text() {
        let mut missing = Vec::new();
        untranslated(&Arguments::command(), "", &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
        command(Language::Chinese).debug_assert();
    }
}
