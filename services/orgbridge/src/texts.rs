//! What commands say, in both languages side by side.

mod mapping;

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

pub(crate) use mapping::{left_out, reason};

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
    uncorrected_letter() {
        "correct the record in its form, or the mapping: it is read again by itself",
        "请在表单中更正该数据，或修改映射；之后会自动重新读取"
    }
    letter_without_tenant(tenant) {
        "its tenant {tenant} is not there: apply it first",
        "租户 {tenant} 不存在：请先添加"
    }
    cannot_read(path, why) {
        "{path}: cannot read it: {why}",
        "{path}：无法读取：{why}"
    }
    mapping_is_fine(source, form) {
        "{source}: fine (form {form}); `orgbridge tenant doctor` compares it with the form itself",
        "{source}：正确（表单 {form}）；与表单本身的核对请用 `orgbridge tenant doctor`"
    }
    no_record(path) {
        "{path}: is no JSON object: write the record as the form's API tells it, such as {{\"_widget_1001\": \"...\"}}",
        "{path}：不是 JSON 对象：请按表单 API 返回的样子填写，例如 {{\"_widget_1001\": \"...\"}}"
    }
    preview_default(value) {
        "default {value}",
        "默认值 {value}"
    }
    preview_nothing() {
        "nothing is sent",
        "不发送"
    }
    preview_left_out(why) {
        "as it is here, the record would not be taken: {why}",
        "按此处的内容，这条数据不会被读取：{why}"
    }
    preview_makes_nobody(why) {
        "no member comes of this record: {why}",
        "此数据不会产生成员：{why}"
    }
    no_form_records() {
        "no records were read",
        "没有读取过的数据"
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
        "pull {run} waits for a person: too much would be removed from the directory. Look at the log and at the platform, then `orgbridge sync allow {run}` or `orgbridge sync reject {run}`",
        "拉取任务 {run} 等待人工确认：将从通讯录移除过多对象。请查看日志和平台后台，然后执行 `orgbridge sync allow {run}` 或 `orgbridge sync reject {run}`"
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
    person_set(platform, person, member) {
        "{person} of {platform} is member {member}; what waits for that is told again",
        "{platform} 的 {person} 就是成员 {member}；等待中的内容将重新发出"
    }
    person_removed(platform, person) {
        "{person} of {platform} is none of the members",
        "{platform} 的 {person} 不对应任何成员"
    }
    no_person(platform, person, tenant) {
        "{person} of {platform} is not linked: see `orgbridge link list --tenant {tenant} --platform {platform}`",
        "{platform} 的 {person} 没有对应关系：请查看 `orgbridge link list --tenant {tenant} --platform {platform}`"
    }
    no_member(tenant, member) {
        "the directory of tenant {tenant} has no member {member}: see `orgbridge sync status {tenant}` for its last pull",
        "租户 {tenant} 的通讯录中没有成员 {member}：最近一次拉取请查看 `orgbridge sync status {tenant}`"
    }
    people_are_members(tenant, platform) {
        "tenant {tenant} has no people of {platform} beside its directory: see `orgbridge tenant show {tenant}`",
        "租户 {tenant} 的通讯录之外没有 {platform} 的人员：请查看 `orgbridge tenant show {tenant}`"
    }
    people_unmatched(count, tenant, platform, person) {
        "people of {platform} of whom nobody knows which member they are: {count}; say so with `orgbridge link set --tenant {tenant} --platform {platform} --person {person} --member ID`",
        "{platform} 中有 {count} 人不知道对应哪个成员；请用 `orgbridge link set --tenant {tenant} --platform {platform} --person {person} --member ID` 指定"
    }
    client_id_taken(tenant, owner) {
        "{tenant}: dingtalk.client_id is that of tenant {owner}: DingTalk gives each connection of an application a share of its events, so two tenants would take each other's; use an application of its own, or `orgbridge tenant remove {owner}` first",
        "{tenant}：dingtalk.client_id 已属于租户 {owner}：同一应用的每个连接各得一部分事件，两个租户会互相拿走对方的事件；请使用各自的应用，或先执行 `orgbridge tenant remove {owner}`"
    }
    is_ready() {
        "ready",
        "已就绪"
    }
    is_not_ready(address, said) {
        "not ready, by {address}: {said}",
        "{address} 未就绪：{said}"
    }
    no_quotas(tenant) {
        "tenant {tenant} has no platform that counts what is used",
        "租户 {tenant} 没有按用量计数的平台"
    }
    no_links() {
        "no links",
        "没有对应关系"
    }
    doctor_no_platform() {
        "neither [wecom] nor [dingtalk]: there is nothing to look at there",
        "未配置 [wecom] 或 [dingtalk]，无需检查"
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
    ding_app() {
        "client_id and client_secret work, this address may call, and contacts are seen from the root department down",
        "client_id 与 client_secret 可用，本机 IP 可以调用，并且能从根部门起读取通讯录"
    }
    ding_secret() {
        "client_id and client_secret do not belong together: copy both anew from the developer console, under the application's credentials, and apply the tenant again",
        "client_id 与 client_secret 不匹配：请在钉钉开放平台的“凭证与基础信息”中重新复制，并再次执行 tenant apply"
    }
    ding_address(address) {
        "DingTalk does not trust the address {address}: add it in the developer console, under security settings, to the server's egress IPs",
        "钉钉不信任 IP {address}：请在开放平台应用的“安全设置”中，把它加入服务器出口 IP"
    }
    ding_permission(api, names) {
        "the application may not call {api}: in the developer console, under permissions, apply for {names}",
        "应用无权调用 {api}：请在开放平台的“权限管理”中申请 {names}"
    }
    ding_forbidden(api) {
        "the application may not call {api}: in the developer console, under permissions, apply for what this interface needs",
        "应用无权调用 {api}：请在开放平台的“权限管理”中申请该接口所需的权限"
    }
    ding_invisible() {
        "the application does not see the root department: in the developer console, under permissions, set the contact scope to all employees",
        "应用看不到根部门：请在开放平台的“权限管理”中，把通讯录权限范围设为全部员工"
    }
    ding_hidden(count, first) {
        "the application does not see {count} departments that members are in, such as {first}, and ids stand in for their names: in the developer console, under permissions, set the contact scope to all employees",
        "有成员所在的 {count} 个部门应用看不到（例如 {first}），将以 ID 代替名称：请在开放平台的“权限管理”中，把通讯录权限范围设为全部员工"
    }
    ding_stream_refused() {
        "DingTalk does not accept client_id and client_secret for Stream mode: copy both anew, choose Stream mode in the developer console, under events, and publish the application",
        "钉钉不接受以此 client_id 与 client_secret 使用 Stream 模式：请重新复制二者，在开放平台的“事件订阅”中选择 Stream 模式，并发布应用"
    }
    ding_stream(open) {
        "Stream mode is allowed, and {open} connections of the gateway here are open",
        "可以使用 Stream 模式，本机网关已建立 {open} 个连接"
    }
    ding_stream_closed() {
        "Stream mode is allowed, but the gateway here has no open connection: see its log; port 443 of api.dingtalk.com and *.dingtalk.com must be reachable",
        "可以使用 Stream 模式，但本机网关没有已建立的连接：请查看其日志；须能访问 api.dingtalk.com 与 *.dingtalk.com 的 443 端口"
    }
    ding_stream_unseen(address) {
        "Stream mode is allowed; no gateway tells at {address} which connections are open: see orgbridge_stream_connections where it runs",
        "可以使用 Stream 模式；{address} 处没有网关报告连接状态：请在网关所在处查看 orgbridge_stream_connections"
    }
    ding_callback(path) {
        "the gateway here answers check_url; in the developer console, under events, enter its public address followed by {path}, with the same token and aes_key",
        "本机网关能正确应答 check_url；请在开放平台的“事件订阅”中填写网关的公网地址加 {path}，Token 与 aes_key 与租户文件相同"
    }
    ding_callback_unseen(path, why) {
        "keys are set, but no gateway here answers check_url ({why}): where it runs, its public address followed by {path} is to be entered in the developer console, under events",
        "密钥已配置，但本机没有网关应答 check_url（{why}）：网关运行后，请在开放平台的“事件订阅”中填写其公网地址加 {path}"
    }
    ding_no_callback_keys() {
        "callback_token and callback_aes_key (43 characters) are missing, which http mode needs: copy both from the developer console, under events",
        "缺少 http 模式所需的 callback_token 或 43 位的 callback_aes_key：请从开放平台的“事件订阅”中复制"
    }
    ding_events(count) {
        "{count} pushes about attendance and approvals came this month",
        "本月收到 {count} 条考勤与审批推送"
    }
    ding_no_events() {
        "no push about attendance or approvals came this month: in the developer console, under events, tick the events that docs/dingtalk.md lists, and save",
        "本月没有收到考勤或审批推送：请在开放平台的“事件订阅”中勾选 docs/dingtalk.md 所列的事件并保存"
    }
    ding_share(count) {
        "the last pull found {count} departments and members that pushes should have told of: each connection of an application gets a share of its events, so look for another process with this client_id, such as a test machine",
        "上次拉取发现 {count} 个部门和成员的变化没有收到推送：同一应用的每个连接各得一部分事件，请检查是否有其他进程（例如测试机）在使用此 client_id"
    }
    ding_attendance() {
        "attendance can be read",
        "可以读取考勤"
    }
    ding_no_report() {
        "the attendance report is not switched on, or not open to applications: which kinds of leave have values there is not looked at",
        "考勤智能报表未开启，或未对应用开放：不检查各假期类型在报表中是否有值"
    }
    ding_leave_empty(names) {
        "the attendance report stays empty for {names} though members took it: in the attendance console, give these kinds of leave a column in the report",
        "已有成员休过 {names}，但考勤报表中没有对应的值：请在考勤管理后台为这些假期类型设置报表列"
    }
    ding_leave(count) {
        "the attendance report has values for all {count} kinds of leave that were taken lately",
        "近期休过的 {count} 种假期在考勤报表中都有值"
    }
    ding_approvals() {
        "approvals can be read",
        "可以读取审批"
    }
    ding_not_looked_at() {
        "not looked at: the month's quota of API calls is used up",
        "未检查：本月的 API 调用额度已用完"
    }
    ding_quota(kind, used, limit) {
        "{kind}: {used} of {limit} are used this month",
        "{kind}：本月已用 {used}，额度 {limit}"
    }
    ding_quota_nearly(kind, used, limit) {
        "{kind}: {used} of {limit} are used this month; when they are, DingTalk refuses more until the next month: buy more, or leave out attendance or approvals",
        "{kind}：本月已用 {used}，额度 {limit}；用完之后钉钉将拒绝到下月：请购买额度，或停用考勤或审批"
    }
    ding_quota_spent(kind, used, limit) {
        "{kind}: all {limit} of this month are used ({used}): buy more and raise it in the tenant file, or wait for the next month, when what waits is asked for",
        "{kind}：本月额度 {limit} 已用完（{used}）：请购买额度并修改租户文件，或等到下月，届时补查等待中的内容"
    }
    form_hires(destination) {
        "{destination} makes members of what the form asks for",
        "{destination} 会按表单创建成员"
    }
    form_no_hires() {
        "no destination of kind wecom-members: the form is not read, since nobody would be created; add one to the tenant file",
        "没有类型为 wecom-members 的目标：不会读取表单，也不会创建成员；请在租户文件中添加"
    }
    form_may_write() {
        "the contact-sync secret may write members",
        "通讯录同步密钥可以写入成员"
    }
    form_may_not_write() {
        "this secret may not write members: in the admin console, under management tools, contact sync, give API the right to edit, and use the secret shown there",
        "该密钥无权写入成员：请在管理后台“管理工具 - 通讯录同步”中把权限设为“API 编辑通讯录”，并使用该处的 Secret"
    }
    form_no_push(seconds, path) {
        "no push_secret: who is approved is read within {seconds} seconds; for seconds instead, set a data push in the form's settings to the gateway's public address followed by {path}, and enter its secret",
        "未配置 push_secret：审批通过后 {seconds} 秒内读取；如需更快，请在表单“数据推送”中把地址设为网关的公网地址加 {path}，并填写其 Secret"
    }
    form_push(path) {
        "a push secret is set; in the form's settings, under data push, the address is the gateway's public address followed by {path}",
        "推送 Secret 已配置；表单“数据推送”的地址为网关的公网地址加 {path}"
    }
    form_no_mapping() {
        "no mapping: without it no form is read; see docs/new-hires.md",
        "未配置 mapping：不会读取任何表单；请看 docs/new-hires.md"
    }
    form_zone(zone) {
        "time_zone {zone}: where clocks are changed in summer, a form's dates are not known to the hour, so it is not read; choose a zone that stands still, such as Asia/Shanghai",
        "time_zone {zone}：有夏令时的时区无法准确解读表单日期，因此不会读取表单；请选择没有夏令时的时区，例如 Asia/Shanghai"
    }
    form_found(fields) {
        "the key works, and the form is there, with {fields} fields",
        "密钥可用，表单存在，共 {fields} 个字段"
    }
    form_no_flow() {
        "the form has no workflow: whoever is entered is created, and nobody approves it",
        "表单没有流程：提交即创建成员，无需审批"
    }
    form_filters() {
        "the platform honours our filters",
        "平台按我们的条件过滤"
    }
    form_filters_ignored(fields) {
        "the platform ignores our filters on {fields}: all records are read each time, and left out here; nobody is created who should not be",
        "平台忽略了对 {fields} 的过滤条件：每次读取全部数据并在本机过滤，不会误建成员"
    }
    form_not_polled() {
        "the form was not read yet: is `orgbridge serve` with the synchronizer running?",
        "尚未读取过表单：`orgbridge serve`（含 synchronizer）是否在运行？"
    }
    form_first_poll() {
        "the form is being read for the first time",
        "正在首次读取表单"
    }
    form_polled(at) {
        "the form was last read to its end at {at}",
        "最近一次完整读取表单的时间：{at}"
    }
    form_poll_stopped(why, at) {
        "the form could not be read to its end: {why}; next try at {at}",
        "未能完整读取表单：{why}；下次尝试时间 {at}"
    }
    form_poll_late(at) {
        "the form should have been read at {at}: is `orgbridge serve` with the synchronizer running?",
        "表单本应在 {at} 读取：`orgbridge serve`（含 synchronizer）是否在运行？"
    }
    form_records(created, sent) {
        "{created} members came of the form; {sent} are on their way",
        "已由表单创建 {created} 名成员；{sent} 名处理中"
    }
    form_records_refused(created, refused, failed, tenant) {
        "{created} members came of the form; {refused} records cannot be mapped and {failed} were refused by WeCom: see `orgbridge mapping list --tenant {tenant}`",
        "已由表单创建 {created} 名成员；{refused} 条数据无法映射，{failed} 条被企业微信拒绝：请查看 `orgbridge mapping list --tenant {tenant}`"
    }
    form_key() {
        "Jiandaoyun does not accept the key: copy it anew from the open platform's key management, see that it is switched on, and apply the tenant again",
        "简道云不接受该 API Key：请在“开放平台 - 密钥管理”中重新复制并确认已启用，再次执行 tenant apply"
    }
    form_address() {
        "Jiandaoyun does not trust this address: add it to the key's list of trusted IPs in the open platform",
        "简道云不信任本机 IP：请在开放平台把它加入该 API Key 的 IP 白名单"
    }
    form_app() {
        "the key may not use the form's application: add it to the key's applications in the open platform",
        "该 API Key 无权使用此应用：请在开放平台把应用加入其授权范围"
    }
    form_interface(api) {
        "the key may not call {api}: grant it in the open platform",
        "该 API Key 无权调用 {api}：请在开放平台授权"
    }
    form_not_there() {
        "there is no such form: appId and entryId of the mapping are those in the browser's address of the form",
        "没有此表单：映射中的 appId 与 entryId 应取自浏览器中表单的地址"
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
