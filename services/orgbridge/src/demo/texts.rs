//! What the demo says.

use crate::{Language, texts::texts};
use std::fmt::Display;

texts! {
    title(members) {
        "OrgBridge demo: a company of {members} in a simulated WeCom, whose callbacks carry ids only; its plant in a simulated DingTalk; a form in a simulated Jiandaoyun; a core product (SQLite); an OA behind a relay",
        "OrgBridge 演示：模拟企业微信中的一家 {members} 人公司（回调只带 ID），其工厂在模拟钉钉中，一张模拟简道云表单，一个核心业务库（SQLite），一个通过回调中继接入的 OA"
    }
    introduction() {
        "[1/11] Morning: the company is there on both sides, and WeCom verifies the callback address",
        "[1/11] 早晨：公司在两边都已存在；企业微信验证回调地址"
    }
    introduction_done(gateway, departments, members) {
        "      verified ({gateway} ms); the core product has an older copy under ids of its own: {departments} departments, {members} members",
        "      验证通过（{gateway} 毫秒）；核心业务库里是一份旧数据，使用自己的 ID：{departments} 个部门、{members} 名成员"
    }
    plan() {
        "[2/11] First sync, the plan: the whole directory is pulled and compared; nothing is written yet",
        "[2/11] 首次同步（计划）：拉取完整通讯录并对比；尚不写入任何内容"
    }
    plan_done(link, create, update, disable, unsure, seconds) {
        "      {link} pairs found, {create} to create, {update} to update, {disable} to disable, {unsure} for a person to decide; after {seconds} s",
        "      匹配 {link} 对，新建 {create}，更新 {update}，停用 {disable}，待人工确认 {unsure}；用时 {seconds} 秒"
    }
    apply() {
        "[3/11] First sync, applied: the core product keeps its ids; the OA registers, and gets everything parents first",
        "[3/11] 首次同步（执行）：核心业务库保留自己的 ID；OA 完成验证，并按先上级后下级收到全部内容"
    }
    apply_done(departments, members, seconds) {
        "      {departments} departments and {members} members everywhere after {seconds} s",
        "      {seconds} 秒后 {departments} 个部门、{members} 名成员全部就位"
    }
    import() {
        "[4/11] File import; its callbacks arrive in the worst order, leaves first and root last, each 1 to 4 times",
        "[4/11] 文件导入：回调以最坏顺序到达，先叶后根，每条重复 1 至 4 次"
    }
    import_done(requests, copies, peak, departments, members, seconds) {
        "      {requests} callbacks ({copies} copies): up to {peak} waited for departments or names, now 0; {departments} departments and {members} members everywhere after {seconds} s",
        "      共 {requests} 次回调（其中重复 {copies} 次）：最多 {peak} 个对象等待上级部门或姓名，现在为 0；{seconds} 秒后 {departments} 个部门、{members} 名成员全部就位"
    }
    life() {
        "[5/11] Ordinary life, shuffled and doubled: moves, removals, re-creations, changed user ids; one callback in ten is lost",
        "[5/11] 日常变动，乱序且重复：调动、离职、重新入职、更换 UserID；每十条回调丢失一条"
    }
    life_done(callbacks, copies, lost, seconds) {
        "      {callbacks} callbacks ({copies} copies besides) arrived in any order, {lost} never; names and numbers change without any; settled after {seconds} s",
        "      {callbacks} 条回调（另有 {copies} 次重复）乱序到达，{lost} 条丢失；姓名、电话变动没有回调；{seconds} 秒后处理完毕"
    }
    outage() {
        "[6/11] The OA goes down; the core product does not wait for it",
        "[6/11] OA 宕机；核心业务库不受影响"
    }
    outage_core_went_on(backlog) {
        "the core product has everything; {backlog} changes wait for the OA, which is back now",
        "核心业务库已全部更新；{backlog} 项变更等待 OA，OA 现已恢复"
    }
    outage_done(callbacks, backlog, seconds) {
        "      {callbacks} callbacks meanwhile: in the core product at once; {backlog} changes waited for the OA and drained parents first within {seconds} s of its return",
        "      期间 {callbacks} 条回调：核心业务库即时更新；{backlog} 项变更等待 OA，恢复后 {seconds} 秒内按先上级后下级补齐"
    }
    forgery_done(status) {
        "[7/11] Somebody sends a callback with a bad signature: refused with {status}; nothing was taken over",
        "[7/11] 有人发送签名错误的回调：已拒绝（{status}），没有任何内容被接收"
    }
    forgery_failed(answer) {
        "[7/11] Somebody sends a callback with a bad signature: NOT refused, the answer was {answer}",
        "[7/11] 有人发送签名错误的回调：未被拒绝，应答为 {answer}"
    }
    plant() {
        "[8/11] A day at its plant, in DingTalk: punches over Stream; approvals over Stream and HTTP, each 1 to 4 times; one push in ten fails",
        "[8/11] 工厂的一天（钉钉）：打卡走 Stream；审批同时走 Stream 和 HTTP，每条 1 至 4 次；十分之一推送失败"
    }
    plant_done(events, copies, failed, records, instances, seconds) {
        "      {events} events ({copies} copies besides), {failed} of them recovered from DingTalk's list of failed pushes: {records} attendance records and {instances} approvals, each once, after {seconds} s",
        "      {events} 个事件（另有 {copies} 次重复），其中 {failed} 个从钉钉推送失败列表找回：考勤记录 {records} 条、审批 {instances} 个，各一份；用时 {seconds} 秒"
    }
    hires() {
        "[9/11] New hires are entered in a form in Jiandaoyun and approved there, one with a bad phone number",
        "[9/11] 新员工：在简道云表单中登记并通过审批，其中一人手机号有误"
    }
    hires_done(created, refused, seconds) {
        "      {refused} refused, which the form says, and corrected; {created} created in WeCom, which tells nobody, and in core product and OA after {seconds} s",
        "      拒绝 {refused} 人（原因写回表单）并已更正；{created} 人已在企业微信中创建（无回调），{seconds} 秒后核心业务库与 OA 均已就位"
    }
    reconciliation() {
        "[10/11] Evening: a reconciliation finds what no callback told",
        "[10/11] 傍晚：对账找出回调没有说到的变化"
    }
    reconciliation_done(fields, untold, seconds) {
        "      {fields} fields were wrong; callbacks should have told of {untold} departments and members; mended everywhere after {seconds} s",
        "      有 {fields} 处字段不对；{untold} 个部门和成员本应有回调；{seconds} 秒后各处已修正"
    }
    comparison() {
        "[11/11] Comparison of source, core product and OA",
        "[11/11] 三方对比：源、核心业务库、OA"
    }
    equal(departments, members) {
        "      {departments} departments, {members} members: source = core product = OA, field by field",
        "      {departments} 个部门、{members} 名成员：源 = 核心业务库 = OA，逐字段一致"
    }
    plant_equal(departments, members, records, instances) {
        "      plant: {departments} departments, {members} members, {records} attendance records, {instances} approvals: DingTalk = core product",
        "      工厂：{departments} 个部门、{members} 名成员、{records} 条考勤记录、{instances} 个审批：钉钉 = 核心业务库"
    }
    different(core, oa, violations) {
        "      DIFFERENT: {core} differences in the core product, {oa} at the OA, {violations} messages that the OA could not apply",
        "      不一致：核心业务库 {core} 处，OA {oa} 处，OA 无法执行的消息 {violations} 条"
    }
    difference(side, kind, id, field, there, here) {
        "      {side}: {kind} {id}: {field} is {here} instead of {there}",
        "      {side}：{kind} {id}：{field} 为 {here}，应为 {there}"
    }
    left_over(parked, dead, unanswered) {
        "      left over: {parked} waiting, {dead} dead letters, {unanswered} callbacks not answered",
        "      遗留：等待 {parked}，死信 {dead}，未应答回调 {unanswered}"
    }
    done(events, copies, changes, seconds) {
        "Done in {seconds} s: {events} events and {copies} copies in, {changes} changes out, nothing lost, nothing twice.",
        "用时 {seconds} 秒：收到 {events} 个事件及 {copies} 次重复，写出 {changes} 项变更，无丢失，无重复。"
    }
    not_equal() {
        "the demo did not end as it should: see the lines above",
        "演示结果不符合预期：请看上面的输出"
    }
    interrupted() {
        "ended before the comparison",
        "在对比之前已中断"
    }
    kept(directory) {
        "kept for looking at: {directory}",
        "现场已保留：{directory}"
    }
    progress(parked, asked, queued, core, oa, versions) {
        "waiting {parked} | asked {asked} | queued {queued} | core {core}/{versions} | OA {oa}/{versions}",
        "等待 {parked} | 询问 {asked} | 队列 {queued} | 核心库 {core}/{versions} | OA {oa}/{versions}"
    }
    running(step, done, total) {
        "{step} {done}/{total}",
        "{step} {done}/{total}"
    }
    run_stopped(state, why) {
        "the run is at {state}: {why}",
        "任务停在 {state}：{why}"
    }
    stuck(what, seconds, progress) {
        "{what}: not there after {seconds} s ({progress})",
        "{what}：{seconds} 秒后仍未完成（{progress}）"
    }
    look_here(admin, database, log) {
        "It goes on with a little life until Ctrl-C. Meanwhile look at:\n  metrics   http://{admin}/metrics\n  core      {database}\n  log       {log}",
        "演示继续进行少量日常变动，按 Ctrl-C 结束。期间可查看：\n  指标      http://{admin}/metrics\n  核心库    {database}\n  日志      {log}"
    }
    try_this(command, config) {
        "or ask:\n  {command} --config {config} sync diff demo\n  {command} --config {config} link list --tenant demo\n  {command} --config {config} quota plant\n  {command} --config {config} mapping list --tenant demo\n  {command} --config {config} deliveries list --tenant demo\n  {command} --config {config} parked list\n  {command} --config {config} dead list",
        "或执行：\n  {command} --config {config} sync diff demo\n  {command} --config {config} link list --tenant demo\n  {command} --config {config} quota plant\n  {command} --config {config} mapping list --tenant demo\n  {command} --config {config} deliveries list --tenant demo\n  {command} --config {config} parked list\n  {command} --config {config} dead list"
    }
    alive(departments, members, changes) {
        "{departments} departments, {members} members, {changes} changes so far",
        "{departments} 个部门，{members} 名成员，累计 {changes} 项变更"
    }
}
