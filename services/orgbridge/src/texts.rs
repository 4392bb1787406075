//! What commands say, in both languages side by side.

use std::fmt::Display;

use crate::Language;

/// Makes of each entry a function that takes the language and what the text names.
macro_rules! texts {
    ($( $name:ident ( $($part:ident),* ) { $english:literal, $chinese:literal } )*) => {
        $(
            pub(crate) fn $name(language: Language $(, $part: impl Display)*) -> String {
                match language {
                    Language::English => format!($english),
                    Language::Chinese => format!($chinese),
                }
            }
        )*
    };
}
pub(crate) use texts;

texts! {
    config_is_fine(source) {
        "{source}: fine",
        "{source}：配置正确"
    }
    defaults_are_used() {
        "no orgbridge.toml here: the defaults hold",
        "此处没有 orgbridge.toml：使用默认值"
    }
    tenant_file_is_fine(source, tenant) {
        "{source}: fine (tenant {tenant})",
        "{source}：正确（租户 {tenant}）"
    }
    warning(about, why) {
        "warning: {about}: {why}",
        "警告：{about}：{why}"
    }
    cannot_read_directory(path, why) {
        "{path}: tenants_dir: cannot read it: {why}",
        "{path}：tenants_dir：无法读取：{why}"
    }
    not_built_yet(service) {
        "the service {service} is not built yet and is left out",
        "服务 {service} 尚未实现，已略过"
    }
    nothing_to_serve() {
        "none of the services after --only is built yet: choose from callback-gateway, resolver, sink, synchronizer",
        "--only 列出的服务都尚未实现：请从 callback-gateway、resolver、sink、synchronizer 中选择"
    }
    listens(what, address) {
        "{what} listens on http://{address}",
        "{what} 正在监听 http://{address}"
    }
    serving(directory) {
        "serving {directory}; stop with Ctrl-C",
        "数据目录 {directory}，服务运行中；按 Ctrl-C 停止"
    }
    migrated(name) {
        "applied {name}",
        "已执行 {name}"
    }
    up_to_date() {
        "the database is up to date",
        "数据库已是最新"
    }
    tenant_created(tenant) {
        "{tenant}: created",
        "{tenant}：已创建"
    }
    tenant_changed(tenant) {
        "{tenant}: changed",
        "{tenant}：已更新"
    }
    tenant_unchanged(tenant) {
        "{tenant}: as before",
        "{tenant}：没有变化"
    }
    tenant_removed(tenant) {
        "{tenant}: removed; what it wrote at its destinations stays there",
        "{tenant}：已移除；已写入目标系统的数据保留"
    }
    no_tenant(tenant) {
        "there is no tenant {tenant}: see `orgbridge tenant list`",
        "没有租户 {tenant}：请查看 `orgbridge tenant list`"
    }
    no_tenants() {
        "no tenants yet: apply a file with `orgbridge tenant apply FILE`",
        "还没有租户：请用 `orgbridge tenant apply FILE` 添加"
    }
    no_destination(tenant, destination) {
        "tenant {tenant} has no destination {destination}: see `orgbridge tenant show {tenant}`",
        "租户 {tenant} 没有目标 {destination}：请查看 `orgbridge tenant show {tenant}`"
    }
    nothing_parked() {
        "nothing waits",
        "没有等待中的对象"
    }
    not_parked(kind, id) {
        "{kind} {id} does not wait for anything: see `orgbridge parked list`",
        "{kind} {id} 没有在等待：请查看 `orgbridge parked list`"
    }
    nothing_dead() {
        "no dead letters",
        "没有死信"
    }
    no_dead_letter(id) {
        "there is no dead letter {id}: see `orgbridge dead list`",
        "没有死信 {id}：请查看 `orgbridge dead list`"
    }
    dead_letter_ended(id, how) {
        "dead letter {id} has ended already ({how})",
        "死信 {id} 已经结束（{how}）"
    }
    discarded(id) {
        "{id}: discarded",
        "{id}：已丢弃"
    }
    replayed(count) {
        "{count} to be tried again",
        "{count} 条将重新处理"
    }
    letter_not_replayed(id, why) {
        "{id}: stays a dead letter: {why}",
        "{id}：仍为死信：{why}"
    }
    some_not_replayed(count) {
        "{count} could not be replayed and stay in `orgbridge dead list`",
        "{count} 条无法重放，仍在 `orgbridge dead list` 中"
    }
    unreadable_letter() {
        "its content cannot be read; look at it with `dead show`, then `dead discard`",
        "内容无法解读；请先用 `dead show` 查看，再用 `dead discard` 丢弃"
    }
    letter_without_tenant(tenant) {
        "its tenant {tenant} is not there: apply it first",
        "租户 {tenant} 不存在：请先添加"
    }
    nothing_delivered() {
        "nothing was sent yet",
        "还没有发送记录"
    }
    asked_again(count, destination) {
        "{count} to be sent to {destination} again",
        "{count} 条将重新发送到 {destination}"
    }
    delivery_paused(tenant, destination) {
        "{destination} only collects until `orgbridge destination resume --tenant {tenant} --destination {destination}`",
        "{destination} 已暂停投递，变更会保留，直到执行 `orgbridge destination resume --tenant {tenant} --destination {destination}`"
    }
    delivery_resumed(destination) {
        "{destination} takes changes again",
        "{destination} 已恢复投递"
    }
    destination_collects(tenant, destination) {
        "{destination} only collects until its first sync is applied: `orgbridge sync apply {tenant}` opens it; see `orgbridge sync plan {tenant}`",
        "{destination} 在首次同步执行之前只保留变更：执行 `orgbridge sync apply {tenant}` 后才开始投递；请先看 `orgbridge sync plan {tenant}`"
    }
    serving_needed() {
        "the running services carry it out",
        "由运行中的服务执行"
    }
    callbacks_may_be_missing(since, until) {
        "callbacks may be missing: none could be taken over from {since} until {until}",
        "可能有回调丢失：{since} 至 {until} 期间无法接收"
    }
    no_broker_to_drain_to() {
        "broker.url: is \"embedded\": name the broker that the spool is to be published to",
        "broker.url：当前为 \"embedded\"；请填写要发布到的消息中间件"
    }
    no_spool(directory) {
        "{directory} has no spool.db: it is not the data directory of a gateway",
        "{directory} 中没有 spool.db：它不是网关的数据目录"
    }
    stop_the_gateway_first() {
        "a gateway may be running there: it drains its spool itself",
        "可能有网关正在使用该目录：它会自行发布"
    }
    spool_drained(count) {
        "{count} published; the spool is empty",
        "已发布 {count} 条，暂存已清空"
    }
    spool_not_drained(count, left) {
        "{count} published, then the broker took nothing any more: {left} are still in the spool; run it again",
        "已发布 {count} 条，之后消息中间件不再接收：还有 {left} 条留在暂存中，请稍后再次执行"
    }
    run_is_detached(run) {
        "run {run} is on its way: see `orgbridge sync status`",
        "任务 {run} 已开始：请查看 `orgbridge sync status`"
    }
    run_finished(run, counts) {
        "run {run} is finished: {counts}",
        "任务 {run} 已完成：{counts}"
    }
    run_left_some(skipped, failed) {
        "{skipped} skipped, {failed} failed: see `orgbridge sync diff` and `orgbridge dead list`",
        "略过 {skipped} 项，失败 {failed} 项：请查看 `orgbridge sync diff` 和 `orgbridge dead list`"
    }
    run_in_quarantine(run, why) {
        "run {run} waits for a person: {why}. Look at it with `orgbridge sync plan`, then `orgbridge sync allow {run}` or `orgbridge sync reject {run}`",
        "任务 {run} 等待人工确认：{why}。请用 `orgbridge sync plan` 查看，然后执行 `orgbridge sync allow {run}` 或 `orgbridge sync reject {run}`"
    }
    pull_in_quarantine(run) {
        "pull {run} waits for a person: too much would be removed from the directory. Look at the log and at WeCom, then `orgbridge sync allow {run}` or `orgbridge sync reject {run}`",
        "拉取任务 {run} 等待人工确认：将从通讯录移除过多对象。请查看日志和企业微信，然后执行 `orgbridge sync allow {run}` 或 `orgbridge sync reject {run}`"
    }
    run_is_over(run, state, why) {
        "run {run} is {state}: {why}",
        "任务 {run} 的状态为 {state}：{why}"
    }
    run_stands_otherwise(run, state) {
        "not now: run {run} is {state}; see `orgbridge sync status`",
        "现在不行：任务 {run} 的状态为 {state}；请查看 `orgbridge sync status`"
    }
    run_is_not_taken_on(run) {
        "nobody works on run {run}: is `orgbridge serve` with the synchronizer running? The run is kept",
        "没有服务处理任务 {run}：`orgbridge serve`（含 synchronizer）是否在运行？任务已保留"
    }
    no_run(run) {
        "there is no run {run}: see `orgbridge sync status`",
        "没有任务 {run}：请查看 `orgbridge sync status`"
    }
    no_runs(tenant) {
        "tenant {tenant} had no run yet: begin with `orgbridge sync plan {tenant}`",
        "租户 {tenant} 还没有任务：请先执行 `orgbridge sync plan {tenant}`"
    }
    run_allowed(run) {
        "run {run} goes on",
        "任务 {run} 已放行"
    }
    run_rejected(run) {
        "run {run} is rejected; nothing of it was done",
        "任务 {run} 已拒绝，未执行任何内容"
    }
    run_undone(run, destinations) {
        "run {run} is undone; {destinations} is left alone until `orgbridge sync resume`",
        "任务 {run} 已撤销；{destinations} 的对账已暂停，直到执行 `orgbridge sync resume`"
    }
    destination_resumed(destination) {
        "runs look after {destination} again",
        "{destination} 的对账已恢复"
    }
    destination_not_paused(destination) {
        "runs look after {destination} already",
        "{destination} 的对账本来就没有暂停"
    }
    yes_is_needed() {
        "nobody can be asked here: say --yes; see `orgbridge sync plan` for what it would do",
        "此处无法询问：请加 --yes；将要执行的内容请用 `orgbridge sync plan` 查看"
    }
    apply_this() {
        "Apply this? [y/N]",
        "执行以上计划？[y/N]"
    }
    nothing_is_applied() {
        "nothing is applied",
        "没有执行"
    }
    plan_is_incomplete() {
        "the source may be incomplete: nothing is removed",
        "来源数据可能不完整：不做任何移除"
    }
    nothing_planned() {
        "nothing differs",
        "没有差异"
    }
    run_progress(step, done, total) {
        "{step} {done}/{total}",
        "{step} {done}/{total}"
    }
    link_set(kind, id, row) {
        "{kind} {id} is row {row}; `orgbridge sync apply` brings it in step",
        "{kind} {id} 对应行 {row}；执行 `orgbridge sync apply` 使其一致"
    }
    link_is_anothers(row, entity) {
        "row {row} is linked with {entity}: take that away first with `orgbridge link remove`",
        "行 {row} 已对应 {entity}：请先用 `orgbridge link remove` 取消"
    }
    link_removed(kind, id) {
        "{kind} {id} is linked no more",
        "{kind} {id} 的对应关系已取消"
    }
    link_rejected(kind, id, row) {
        "row {row} is not {kind} {id}: it is not proposed again",
        "行 {row} 不是 {kind} {id}：不再提示"
    }
    no_link(kind, id) {
        "{kind} {id} is not linked: see `orgbridge link list`",
        "{kind} {id} 没有对应关系：请查看 `orgbridge link list`"
    }
    no_links() {
        "no links",
        "没有对应关系"
    }
    doctor_no_wecom() {
        "no [wecom] section: there is nothing to look at there",
        "没有 [wecom] 配置，无需检查"
    }
    doctor_callback(path) {
        "keys are set; in the admin console, under contact sync, set the receiving address to the gateway's public address followed by {path}",
        "密钥已配置；请在企业微信管理后台“通讯录同步”中，把接收事件服务器的 URL 设为网关的公网地址加 {path}"
    }
    doctor_no_callback_keys() {
        "callback_token and callback_aes_key (43 characters) are missing: copy both from the admin console, under contact sync, receiving events",
        "缺少 callback_token 或 43 位的 callback_aes_key：请从企业微信管理后台“通讯录同步 - 设置接收事件服务器”中复制"
    }
    doctor_contact(count) {
        "the contact-sync secret works: {count} departments; API sync is on, and this address is trusted",
        "通讯录同步密钥可用：共 {count} 个部门；API 同步已开启，本机 IP 可信"
    }
    doctor_address(address) {
        "WeCom does not trust the address {address}: add it to the trusted IPs of contact sync, and of the app, in the admin console",
        "企业微信不信任 IP {address}：请在管理后台把它加入“通讯录同步”以及应用的企业可信 IP"
    }
    doctor_secret(key) {
        "corp_id and {key} do not belong together: copy both anew from the admin console and apply the tenant again",
        "corp_id 与 {key} 不匹配：请从管理后台重新复制，并再次执行 tenant apply"
    }
    doctor_api_sync() {
        "this secret may not list members: switch on API sync in the admin console, under management tools, contact sync, and use the secret shown there",
        "该密钥无权列出成员：请在管理后台“管理工具 - 通讯录同步”中开启 API 同步，并使用该处的 Secret"
    }
    doctor_invisible() {
        "the app may not see the root department: set its visible range to the whole company in the admin console",
        "应用看不到根部门：请在管理后台把应用的可见范围设为整个企业"
    }
    doctor_scope(seen, all) {
        "the app sees {seen} of {all} departments: set its visible range to the whole company in the admin console",
        "应用只能看到 {all} 个部门中的 {seen} 个：请在管理后台把应用的可见范围设为整个企业"
    }
    doctor_agent() {
        "the app's secret works, and it sees all departments",
        "应用密钥可用，且能看到全部部门"
    }
    doctor_no_agent() {
        "no agent_secret: names and details cannot be read, and ids stand in for names; enter the secret of an app that sees the whole company",
        "未配置 agent_secret：无法读取姓名等详情，将以 ID 代替姓名；请填写一个可见全公司的应用的 Secret"
    }
    doctor_limits(departments, seconds) {
        "to read the members of all {departments} departments takes about {seconds} seconds within WeCom's limits",
        "在企业微信频率限制内读取全部 {departments} 个部门的成员约需 {seconds} 秒"
    }
    doctor_trouble(why) {
        "{why}",
        "{why}"
    }
    doctor_product(destination) {
        "{destination} answers",
        "{destination} 可连接"
    }
    doctor_first_sync(tenant, destinations) {
        "nothing is delivered to {destinations} yet: the core product holds rows of its own, or was not looked at yet. Look at `orgbridge sync plan {tenant}`, then `orgbridge sync apply {tenant}`",
        "尚未向 {destinations} 投递：核心库已有数据，或还没有检查过。请先看 `orgbridge sync plan {tenant}`，再执行 `orgbridge sync apply {tenant}`"
    }
    doctor_no_product(destination, why) {
        "{destination} does not answer: {why}",
        "{destination} 无法连接：{why}"
    }
    see_help(command) {
        "see `{command} --help`",
        "请看 `{command} --help`"
    }
}
