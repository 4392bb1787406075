//! What the demo says.

use crate::{Language, texts::texts};
use std::fmt::Display;

texts! {
    title(members) {
        "OrgBridge demo: a company of {members} in a simulated WeCom, a core product (SQLite), and an OA behind a relay",
        "OrgBridge 演示：模拟企业微信中的一家 {members} 人公司，一个核心业务库（SQLite），一个通过回调中继接入的 OA"
    }
    handshakes() {
        "[1/6] The OA and the callback address introduce themselves",
        "[1/6] OA 与回调地址互相验证"
    }
    handshakes_done(oa, gateway) {
        "      the OA answered the relay's handshake ({oa} ms), WeCom verified our address ({gateway} ms)",
        "      OA 通过中继验证（{oa} 毫秒），企业微信通过回调地址验证（{gateway} 毫秒）"
    }
    import() {
        "[2/6] File import; its callbacks arrive in the worst order, leaves first and root last, each 1 to 4 times",
        "[2/6] 文件导入：回调以最坏顺序到达，先叶后根，每条重复 1 至 4 次"
    }
    import_done(requests, copies, peak, departments, members, seconds) {
        "      {requests} callbacks ({copies} copies): up to {peak} waited for their departments, now 0; {departments} departments and {members} members everywhere after {seconds} s",
        "      共 {requests} 次回调（其中重复 {copies} 次）：最多 {peak} 个对象等待上级部门，现在为 0；{seconds} 秒后 {departments} 个部门、{members} 名成员全部就位"
    }
    life() {
        "[3/6] Ordinary life, shuffled and doubled: moves, renames, removals, re-creations, changed user ids",
        "[3/6] 日常变动，乱序且重复：调动、改名、离职、重新入职、更换 UserID"
    }
    life_done(callbacks, copies, seconds) {
        "      {callbacks} changes ({copies} copies besides) arrived in any order; settled after {seconds} s",
        "      {callbacks} 项变动（另有 {copies} 次重复）乱序到达；{seconds} 秒后全部处理完毕"
    }
    outage() {
        "[4/6] The OA goes down; the core product does not wait for it",
        "[4/6] OA 宕机；核心业务库不受影响"
    }
    outage_core_went_on(backlog) {
        "the core product has everything; {backlog} changes wait for the OA, which is back now",
        "核心业务库已全部更新；{backlog} 项变更等待 OA，OA 现已恢复"
    }
    outage_done(callbacks, backlog, seconds) {
        "      {callbacks} changes meanwhile: in the core product at once; {backlog} waited for the OA and drained parents first within {seconds} s of its return",
        "      期间 {callbacks} 项变动：核心业务库即时更新；{backlog} 项等待 OA，恢复后 {seconds} 秒内按先上级后下级补齐"
    }
    forgery() {
        "[5/6] Somebody sends a callback with a bad signature",
        "[5/6] 有人发送签名错误的回调"
    }
    forgery_done(status) {
        "      refused with {status}; nothing was taken over",
        "      已拒绝（{status}）；没有任何内容被接收"
    }
    forgery_failed(answer) {
        "      NOT refused: the answer was {answer}",
        "      未被拒绝：应答为 {answer}"
    }
    comparison() {
        "[6/6] Comparison of source, core product and OA",
        "[6/6] 三方对比：源、核心业务库、OA"
    }
    equal(departments, members) {
        "      {departments} departments, {members} members: source = core product = OA, field by field",
        "      {departments} 个部门、{members} 名成员：源 = 核心业务库 = OA，逐字段一致"
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
    progress(parked, queued, core, oa, versions) {
        "waiting {parked} | queued {queued} | core {core}/{versions} | OA {oa}/{versions}",
        "等待 {parked} | 队列 {queued} | 核心库 {core}/{versions} | OA {oa}/{versions}"
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
        "or ask:\n  {command} --config {config} tenant show demo\n  {command} --config {config} deliveries list --tenant demo\n  {command} --config {config} parked list\n  {command} --config {config} dead list",
        "或执行：\n  {command} --config {config} tenant show demo\n  {command} --config {config} deliveries list --tenant demo\n  {command} --config {config} parked list\n  {command} --config {config} dead list"
    }
    alive(departments, members, changes) {
        "{departments} departments, {members} members, {changes} changes so far",
        "{departments} 个部门，{members} 名成员，累计 {changes} 项变更"
    }
}
