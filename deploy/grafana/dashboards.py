#!/usr/bin/env python3
"""The dashboards: what they ask Prometheus, what is normal, and what to do if it is not.

Run it to write dashboards/*.json, which is what Grafana reads; with --check it says which of them are not as written here.
`$scope` in a query is what panels.py puts in its place. What every resolver asks the database for is the same at each of them,
so it is `max by (...)`, never a sum.
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True

from panels import NONE_IS_FINE, bars, dashboard, default, heatmap, processes, quantiles, stat, steps, table, timeseries, variable  # noqa: E402

TARGET = pathlib.Path(__file__).with_name("dashboards")

# As docs/operating/objectives.md has them: which share, within how many seconds. Prometheus 3 writes the bound 1 as 1.0.
CALLBACKS = (0.999, 'le=~"1|1.0"')
END_TO_END = (0.99, 'le=~"60|60.0"')
BACKLOG_SECONDS = 900
PARKED_SECONDS = 4 * 3600

PARKED = 'max by (tenant) (orgbridge_parked_events{$scope%s})'
PARKED_AGE = 'max by (tenant) (orgbridge_parked_oldest_seconds{$scope%s})'
BACKLOG = "max by (tenant, destination) (orgbridge_backlog_changes{$scope%s})"
BACKLOG_AGE = "max by (tenant, destination) (orgbridge_backlog_oldest_seconds{$scope%s})"
DEAD = "max by (tenant, stage) (orgbridge_dead_letters{$scope%s})"
QUEUE = "max by (hop, lane) (orgbridge_queue_messages{$scope%s})"
TENANT = ', tenant="$tenant"'


def top(query, label):
    """The ten greatest, or one 0 where there is none."""
    return default(f"sort_desc(topk(10, {query}))", label)


def happened(counter, labels, matchers=""):
    """How often it happened in the time shown. `increase` does not see a counter begin, and what is rare seldom goes beyond that."""
    counter = f"orgbridge_{counter}{{$scope{matchers}}}"
    grown = f"increase({counter}[$__range])"
    return f"sum by ({labels}) ({grown} + 1 unless increase({counter}[$__rate_interval] offset $__range) or {grown})"


def objective(title, histogram, what, otherwise, target, bound, runbook, failed=None):
    """Two stats: how much was in time, and what is left of what may not be. Of what was late and what failed the greater counts."""
    total = f"sum by (platform) (increase(orgbridge_{histogram}_count{{$scope}}[$__range]))"
    bad = f"{total} - sum by (platform) (increase(orgbridge_{histogram}_bucket{{$scope, {bound}}}[$__range]))"
    if failed:
        bad = f"sum by (platform) (increase({failed}[$__range])) > {bad} or {bad}"
    bad = f"({bad}) / ({total} > 0)"
    look = {"legend": "{{platform}}", "text": "value_and_name", "instant": True, "width": 6, "runbook": runbook, "nothing": "no traffic"}
    return [
        stat(
            title, "percentunit",
            (f"{what}, in the time shown. The objective is {target * 100:g} % of 30 days.", f"{target * 100:g} % or more.", otherwise),
            f"1 - {bad}", decimals=3, thresholds=steps("red", (target, "green")), **look,
        ),
        stat(
            f"{title}: budget left", "percentunit",
            (f"How much is left of the {(1 - target) * 100:g} % that may be bad. Show 30 days: of a shorter time it is the budget of that time.",
             "above 25 %. Below 0 the objective is missed.", otherwise),
            f"1 - {bad} / (1 - {target})", thresholds=steps("red", (0, "orange"), (0.25, "green")), **look,
        ),
    ]


OVERVIEW = dashboard(
    "overview", "Overview", "Whether OrgBridge keeps its objectives, and where to look if it does not.",
    [
        ("Objectives", [
            *objective(
                "Callbacks answered within 1 s", "callback_seconds", "Callbacks that were answered within 1 s, and taken over",
                "the dashboard Gateway shows whether they are late or not taken, and whether the spool fills.",
                *CALLBACKS, "callbacks-slow", 'orgbridge_callbacks_total{$scope, outcome="not_taken"}',
            ),
            *objective(
                "Delivered within 1 min", "end_to_end_seconds",
                "Changes that were at their destination within a minute after we got what they say",
                "the dashboard Sink if one destination is late, Resolver if all are.",
                *END_TO_END, "end-to-end-slow",
            ),
            stat(
                "Destinations up to date", "percentunit",
                ("The share of destinations that wait for nothing that is older than 15 minutes. The objective is 99 %.",
                 "100 %.",
                 "the list below says which do; of all of them at once: the dashboard Sink."),
                f"avg({BACKLOG_AGE % ''} <= bool {BACKLOG_SECONDS})", width=8,
                thresholds=steps("red", (0.99, "green")), runbook="backlog-old", nothing="no destination",
            ),
            stat(
                "Oldest change not delivered", "s",
                ("The age of the oldest change that a destination has not got yet, over all tenants.",
                 "seconds.",
                 "a destination is away or slow: the list below says which, `orgbridge tenant show ID` has its last error."),
                f"max({BACKLOG_AGE % ''}) or vector(0)", width=8,
                thresholds=steps("green", (60, "orange"), (BACKLOG_SECONDS, "red")), runbook="backlog-old",
            ),
            stat(
                "Dead letters", "short",
                ("What was given up on and not resolved, of all tenants.",
                 "0.",
                 "`orgbridge dead list` has them with their reasons."),
                f"sum({DEAD % ''}) or vector(0)", width=8, thresholds=NONE_IS_FINE, runbook="dead-letters",
            ),
        ]),
        ("Alerts and processes", [
            table(
                "Alerts", "short",
                ("Alerts that fire, or will if it goes on (`pending`), and of what.",
                 "one row, none.",
                 "the alert's runbook says what it means and what to do; it has the alert's name."),
                default(
                    "sum by (alertname, severity, alertstate, service, instance, lane, platform, tenant, destination)"
                    ' (ALERTS{alertname=~"OrgBridge.+"})', "alertname"),
                {"alertname": "Alert", "severity": "Severity", "alertstate": "State", "service": "Service", "instance": "Instance", "lane": "Lane",
                 "platform": "Platform", "tenant": "Tenant", "destination": "Destination", "Value": "Number"},
                width=14, thresholds=NONE_IS_FINE, runbook="README",
            ),
            table(
                "Processes", "bool_yes_no",
                ("Each process: what it is, which version, and whether it is ready.",
                 "all ready, of one version but for a rollout.",
                 "`/readyz` of its admin address says why not, as does its log. One without a version cannot be reached."),
                "max by (service, instance, version, revision) ("
                "orgbridge_ready{$scope} * on (job, namespace, instance) group_left (version, revision) orgbridge_build_info{$scope}"
                " or on (job, namespace, instance) up{$scope} == 0)",
                {"service": "Service", "instance": "Instance", "version": "Version", "revision": "Revision", "Value": "Ready"},
                width=10, thresholds=steps("red", (1, "green")), runbook="process-not-ready",
            ),
        ]),
        ("Flow", [
            timeseries(
                "Callbacks", "reqps",
                ("Callbacks per second by platform; what comes over Stream connections is among them.",
                 "follows the working day.",
                 "none at all in working hours: the platform cannot reach us, `orgbridge tenant doctor ID`."),
                {"{{platform}}": default("sum by (platform) (rate(orgbridge_callbacks_total{$scope}[$__rate_interval]))", "platform")},
                width=8, stacked=True,
            ),
            timeseries(
                "Events worked off", "cps",
                ("Events per second that resolvers took in, by what became of them.",
                 "follows the callbacks; `parked` are released soon after.",
                 "`dead` grows: `orgbridge dead list`. None while a queue grows: the dashboard Resolver."),
                {"{{outcome}}": default("sum by (outcome) (rate(orgbridge_resolver_events_total{$scope}[$__rate_interval]))", "outcome")},
                width=8, stacked=True,
            ),
            timeseries(
                "Changes delivered", "cps",
                ("Changes per second at destinations, by what became of them.",
                 "follows the events; nothing but `applied`.",
                 "`retried`: a destination is away or slow. `rejected`: it refuses a change, `orgbridge dead list`."),
                {"{{outcome}}": default("sum by (outcome) (rate(orgbridge_changes_total{$scope}[$__rate_interval]))", "outcome")},
                width=8, stacked=True, runbook="changes-rejected",
            ),
        ]),
        ("What waits", [
            timeseries(
                "Queue depth", "short",
                ("Messages that nobody has acknowledged yet, by lane: events for resolvers, changes for sinks.",
                 "near 0; a peak goes down within minutes.",
                 "it grows: more replicas of the lane's resolver or sink, or a lane of its own for who fills it."),
                {"{{lane}} {{hop}}": QUEUE % ""}, runbook="queue-deep",
            ),
            bars(
                "Oldest change by destination", "s",
                ("The ten destinations whose oldest change has waited longest.",
                 "seconds.",
                 "`orgbridge tenant show ID` has the destination's last error."),
                {"{{tenant}} {{destination}}": top(BACKLOG_AGE % "", "tenant")},
                thresholds=steps("green", (60, "orange"), (BACKLOG_SECONDS, "red")), tenants=True, runbook="backlog-old",
            ),
            bars(
                "Parked by tenant", "short",
                ("The ten tenants with most entities that wait for others.",
                 "a few, for minutes.",
                 "`orgbridge parked list --tenant ID` says what they wait for."),
                {"{{tenant}}": top(PARKED % "", "tenant")}, tenants=True, runbook="parked-old",
            ),
            bars(
                "Dead letters by tenant", "short",
                ("The ten tenants with most that was given up on.",
                 "0.",
                 "`orgbridge dead list --tenant ID` has the reasons."),
                {"{{tenant}}": top(f"sum by (tenant) ({DEAD % ''})", "tenant")},
                thresholds=NONE_IS_FINE, tenants=True, runbook="dead-letters",
            ),
        ]),
    ],
)


def of_tenant(query, label, value=0):
    return default(query.replace("$of", TENANT), label, value)


TENANT_BOARD = dashboard(
    "tenant", "Tenant", "One company: what came, what waits, what was delivered, and how its directory is kept in step.",
    [
        ("At a glance", [
            stat(
                "Lane", "none",
                ("The lane that carries this tenant's events and changes.",
                 "`shared`, or one of its own for a big tenant.",
                 "`none`: no resolver serves its lane; `broker.lanes` of a resolver must have it."),
                default(f"max by (lane) (orgbridge_tenant_info{{$scope{TENANT}}})", "lane"), legend="{{lane}}", text="name", instant=True,
            ),
            stat(
                "Platform silent", "bool_yes_no",
                ("Whether the platform refuses or cannot be reached, by what any synchronizer last saw.",
                 "no.",
                 "`orgbridge tenant doctor ID` says what to click. Nothing grows old meanwhile."),
                f"max(orgbridge_platform_silent{{$scope{TENANT}}}) or vector(0)", thresholds=NONE_IS_FINE, runbook="platform-silent",
            ),
            stat(
                "Oldest parked", "s",
                ("The age of the entity that has waited longest for what it refers to.",
                 "minutes.",
                 "`orgbridge parked list --tenant ID` says what it waits for."),
                f"max({PARKED_AGE % TENANT}) or vector(0)", thresholds=steps("green", (PARKED_SECONDS, "orange")), runbook="parked-old",
            ),
            stat(
                "Oldest change not delivered", "s",
                ("The age of the oldest change that one of its destinations has not got yet.",
                 "seconds.",
                 "`orgbridge tenant show ID` has the destination's last error."),
                f"max({BACKLOG_AGE % TENANT}) or vector(0)",
                thresholds=steps("green", (60, "orange"), (BACKLOG_SECONDS, "red")), runbook="backlog-old",
            ),
            stat(
                "Dead letters", "short",
                ("What was given up on and not resolved.",
                 "0.",
                 "`orgbridge dead list --tenant ID` has the reasons."),
                f"sum({DEAD % TENANT}) or vector(0)", thresholds=NONE_IS_FINE, runbook="dead-letters",
            ),
            stat(
                "Directory differences", "short",
                ("Departments and members that callbacks should have told of and did not, by the last run of each synchronizer.",
                 "0 or a few.",
                 "it grows from run to run: callbacks get lost on their way here; look at their address and at what is subscribed."),
                f"max(orgbridge_directory_differences{{$scope{TENANT}}}) or vector(0)",
                thresholds=steps("green", (10, "orange")), runbook="directory-differences",
            ),
        ]),
        ("Flow", [
            timeseries(
                "Events by type", "cps",
                ("Events per second that were taken over for this tenant: callbacks, and what was asked for.",
                 "follows its working day.",
                 "none in working hours: `orgbridge tenant doctor ID`."),
                {"{{type}}": of_tenant("sum by (type) (rate(orgbridge_events_published_total{$scope$of}[$__rate_interval]))", "type")},
                width=8, stacked=True,
            ),
            timeseries(
                "Events worked off", "cps",
                ("Events per second that resolvers took in, by what became of them.",
                 "nearly all `applied`, `duplicate` or `stale`; `parked` are `released` soon after.",
                 "`dead` grows: `orgbridge dead list --tenant ID`."),
                {"{{outcome}}": of_tenant("sum by (outcome) (rate(orgbridge_resolver_events_total{$scope$of}[$__rate_interval]))", "outcome")},
                width=8, stacked=True,
            ),
            timeseries(
                "Changes delivered", "cps",
                ("Changes per second at each destination, by what became of them.",
                 "nothing but `applied`.",
                 "`retried`: the destination is away or slow. `rejected`: it refuses a change, `orgbridge dead list --tenant ID`."),
                {"{{destination}} {{outcome}}": of_tenant(
                    "sum by (destination, outcome) (rate(orgbridge_changes_total{$scope$of}[$__rate_interval]))", "outcome")},
                width=8, stacked=True, runbook="changes-rejected",
            ),
        ]),
        ("What waits", [
            timeseries(
                "Queue of its lane", "short",
                ("Messages of the tenant's lane that nobody has acknowledged yet, whosever they are.",
                 "near 0.",
                 "it grows while this tenant is busy: others of the lane wait for it; give it a lane of its own."),
                {"{{lane}} {{hop}}": default(
                    f"{QUEUE % ''} * on (lane) group_left () max by (lane) (orgbridge_tenant_info{{$scope{TENANT}}})", "hop")},
                width=8, runbook="queue-deep",
            ),
            timeseries(
                "Parked", "short",
                ("Entities that wait for what they refer to.",
                 "a few, for minutes; many during a first sync.",
                 "`orgbridge parked list --tenant ID` says what they wait for."),
                {"parked": f"max({PARKED % TENANT}) or vector(0)"}, width=8, runbook="parked-old",
            ),
            timeseries(
                "Backlog by destination", "short",
                ("Changes that each destination has not got yet.",
                 "near 0.",
                 "it grows: the destination is away, slow or paused; `orgbridge tenant show ID`."),
                {"{{destination}}": default(BACKLOG % TENANT, "destination")}, width=8, runbook="backlog-old",
            ),
            timeseries(
                "Oldest change by destination", "s",
                ("The age of the oldest change that each destination has not got yet.",
                 "seconds.",
                 "it grows second by second: the destination takes nothing; `orgbridge tenant show ID` has its last error."),
                {"{{destination}}": default(BACKLOG_AGE % TENANT, "destination")}, runbook="backlog-old",
            ),
            timeseries(
                "Dead letters by stage", "short",
                ("What was given up on and not resolved, by who gave up.",
                 "0.",
                 "`orgbridge dead list --tenant ID`, and docs/errors.md for each reason."),
                {"{{stage}}": default(DEAD % TENANT, "stage")}, stacked=True, runbook="dead-letters",
            ),
        ]),
        ("In step", [
            bars(
                "Runs in the time shown", "short",
                ("Pulls of the directory and comparisons with core products, by kind and by how they ended.",
                 "`pull finished` once a day.",
                 "`quarantined` or `planned`: a person must decide, `orgbridge sync status ID`. `incomplete`: its log says why."),
                {"{{kind}} {{outcome}}": default(happened("sync_runs_total", "kind, outcome", TENANT), "kind")},
                width=8, decimals=0, runbook="sync-quarantined",
            ),
            timeseries(
                "Progress of runs", "percentunit",
                ("How far the last run of each synchronizer is, its pull included.",
                 "100 %, or growing; 50 % while a plan waits for a person.",
                 "it stands still below that: `orgbridge sync status ID` has why."),
                {"{{instance}}": of_tenant("max by (instance) (orgbridge_sync_progress_ratio{$scope$of})", "instance", 1)},
                width=8, top=1, runbook="sync-stalled",
            ),
            timeseries(
                "Differences found", "short",
                ("What callbacks should have told of and did not, by the last comparison of directory and of records.",
                 "0 or a few.",
                 "it grows from run to run: callbacks get lost on their way here."),
                {
                    "directory": f"max(orgbridge_directory_differences{{$scope{TENANT}}}) or vector(0)",
                    "records": f"max(orgbridge_record_differences{{$scope{TENANT}}}) or vector(0)",
                },
                width=8, runbook="directory-differences",
            ),
            timeseries(
                "Questions", "cps",
                ("Questions per second put to its platforms, by what came of them.",
                 "`answered` and `absent`.",
                 "`postponed` goes on: the platform is silent or throttles. `unreadable`: please report it."),
                {"{{outcome}}": of_tenant("sum by (outcome) (rate(orgbridge_questions_total{$scope$of}[$__rate_interval]))", "outcome")},
                width=8,
            ),
            bars(
                "Brakes in the time shown", "short",
                ("How often more removals than usual were held back for a person.",
                 "0.",
                 "`orgbridge sync status ID` shows what would go; let it go, or see why the platform says so."),
                {"brakes": happened("brakes_total", "", TENANT) + " or vector(0)"},
                width=8, decimals=0, thresholds=NONE_IS_FINE, runbook="sync-brake",
            ),
            bars(
                "Failed pushes in the time shown", "short",
                ("Pushes that DingTalk could not deliver and that were read from its list.",
                 "0, or a few after a restart.",
                 "it grows all the time: DingTalk cannot reach us, and what happens is heard of minutes later."),
                {"failed pushes": happened("failed_pushes_total", "", TENANT) + " or vector(0)"},
                width=8, decimals=0, thresholds=steps("green", (1, "orange")), runbook="failed-pushes",
            ),
        ]),
        ("Platforms", [
            bars(
                "Quota used", "percentunit",
                ("How much of the month's quota is used, as DingTalk counts.",
                 "below the share of the month that has passed.",
                 "near 100 % less and less is asked for, or pushed: `orgbridge quota ID`."),
                {"{{platform}} {{kind}}": of_tenant("max by (platform, kind) (orgbridge_quota_used_ratio{$scope$of})", "platform")},
                width=6, thresholds=steps("green", (0.7, "orange"), (0.9, "red")), runbook="quota-nearly-used",
            ),
            timeseries(
                "Stream connections", "short",
                ("Connections to DingTalk over all gateways, by state.",
                 "`open` is the number of gateways times `callback_gateway.stream_connections`; none without Stream mode.",
                 "`open` 0: no event comes. `refused`: DingTalk does not accept `client_id` and `client_secret`."),
                {"{{state}}": of_tenant("sum by (state) (orgbridge_stream_connections{$scope$of})", "state")},
                width=6, runbook="stream-disconnected",
            ),
            bars(
                "Form records in the time shown", "short",
                ("Records of forms that were read, by what they came to.",
                 "`sent` and `known`.",
                 "`refused`: `orgbridge mapping list --tenant ID --state refused` has field and reason."),
                {"{{outcome}}": of_tenant("sum by (outcome) (increase(orgbridge_form_records_total{$scope$of}[$__range]))", "outcome")},
                width=6, decimals=0, runbook="form-records-refused",
            ),
            bars(
                "Form answers in the time shown", "short",
                ("Outcomes that were to be written back into forms.",
                 "`written`.",
                 "`unwritable` or `postponed` grows: the rights of the key, and the field."),
                {"{{outcome}}": of_tenant("sum by (outcome) (increase(orgbridge_form_answers_total{$scope$of}[$__range]))", "outcome")},
                width=6, decimals=0, runbook="form-answers-unwritten",
            ),
        ]),
    ],
    [variable("tenant", "Tenant", 'label_values(orgbridge_tenant_info{job=~"$job", namespace=~"$namespace"}, tenant)')],
)

GATEWAY = dashboard(
    "gateway", "Gateway", "Callbacks and Stream connections: whether everything is taken over, and in time.",
    [
        ("Callbacks", [
            timeseries(
                "Callbacks by outcome", "reqps",
                ("Callbacks per second, by what came of them: `accepted`, `verified`, or why not.",
                 "`accepted`.",
                 "`not_taken`: nothing can be taken over, look at the broker and at the spool. "
                 "Anything else that grows: a wrong token or key, a clock, or somebody who is not the platform."),
                {"{{outcome}}": default("sum by (outcome) (rate(orgbridge_callbacks_total{$scope}[$__rate_interval]))", "outcome")},
                stacked=True, runbook="callbacks-not-taken",
            ),
            timeseries(
                "Callbacks not accepted", "percentunit",
                ("Which share of each platform's callbacks was neither accepted nor a check of the address.",
                 "0.",
                 "the panel beside it says why; `orgbridge tenant show ID` whose."),
                {"{{platform}}": default(
                    '(sum by (platform) (rate(orgbridge_callbacks_total{$scope, outcome!~"accepted|verified"}[$__rate_interval]))'
                    " or sum by (platform) (rate(orgbridge_callbacks_total{$scope}[$__rate_interval])) * 0)"
                    " / (sum by (platform) (rate(orgbridge_callbacks_total{$scope}[$__rate_interval])) > 0)", "platform")},
                runbook="callbacks-not-taken",
            ),
            timeseries(
                "Time to answer", "s",
                ("From a callback to its answer: half, 95 % and 99 % are faster than this.",
                 "tens of milliseconds. WeCom waits 5 s, DingTalk 1.5 s.",
                 "RabbitMQ's disks are slow, or it takes nothing: then answers come from the spool, at the speed of the gateway's disk."),
                quantiles("callback_seconds", "platform"), runbook="callbacks-slow",
            ),
            heatmap(
                "Time to answer, all", "s",
                ("How many callbacks were answered how fast.",
                 "one dark band, below 100 ms.",
                 "a second band: some of the gateways, or of the broker's nodes, are slow."),
                "callback_seconds", runbook="callbacks-slow",
            ),
            timeseries(
                "Events taken over", "cps",
                ("Events per second that are durably in the queue, by platform; what synchronizers and sinks publish is among them.",
                 "as many as callbacks, or somewhat more.",
                 "fewer than callbacks: those were of kinds that mean nothing to us, or were not taken."),
                {"{{platform}}": default("sum by (platform) (rate(orgbridge_events_published_total{$scope}[$__rate_interval]))", "platform")},
                stacked=True,
            ),
            timeseries(
                "Stream connections", "short",
                ("Connections to DingTalk over all gateways and tenants, by state.",
                 "all `open`; `draining` for seconds.",
                 "`refused`: a tenant's credentials are not accepted. `opening` for minutes: DingTalk cannot be reached."),
                {"{{state}}": default("sum by (state) (orgbridge_stream_connections{$scope})", "state")}, runbook="stream-disconnected",
            ),
        ]),
        ("Spool", [
            timeseries(
                "Events in the spool", "short",
                ("Events that a gateway keeps on its disk because the broker does not take them.",
                 "0.",
                 "RabbitMQ is away or has an alarm. Answered callbacks are in it: do not delete the volume."),
                {"{{instance}}": 'max by (instance) (orgbridge_spool_events{$scope, service=~"(callback-gateway|orgbridge)?"})'},
                runbook="spool-in-use",
            ),
            timeseries(
                "Size of the spool", "bytes",
                ("Bytes of them. Up to `broker.spool_max_bytes` are taken.",
                 "0.",
                 "near the limit callbacks will soon not be answered: mend RabbitMQ, or make volume and limit greater."),
                {"{{instance}}": 'max by (instance) (orgbridge_spool_bytes{$scope, service=~"(callback-gateway|orgbridge)?"})'},
                runbook="spool-filling",
            ),
        ]),
        ("Processes", processes("callback-gateway")),
    ],
)

LANE = variable("lane", "Lane", 'label_values(orgbridge_queue_messages{job=~"$job", namespace=~"$namespace"}, lane)', every=".+")

RESOLVER = dashboard(
    "resolver", "Resolver", "Order, duplicates and dependencies: what was worked off, what queues and what waits.",
    [
        ("Events", [
            timeseries(
                "Events by outcome", "cps",
                ("Events per second, by what became of them.",
                 "nearly all `applied`, `duplicate` or `stale`; `parked` are `released` soon after.",
                 "`dead` grows: `orgbridge dead list`. Many `stale`: a platform repeats late, which does no harm."),
                {"{{outcome}}": default("sum by (outcome) (rate(orgbridge_resolver_events_total{$scope}[$__rate_interval]))", "outcome")},
                width=8, stacked=True,
            ),
            timeseries(
                "Turns by process", "cps",
                ("Events per second that each resolver works off.",
                 "shared out alike, as partitions are.",
                 "one at 0 while a queue grows: it has no partition, or PostgreSQL does not answer it; see its `/readyz`."),
                {"{{instance}}": default("sum by (instance) (rate(orgbridge_resolver_events_total{$scope}[$__rate_interval]))", "instance")},
                width=8, stacked=True,
            ),
            timeseries(
                "Repeated or stale", "percentunit",
                ("Which share of events told nothing new.",
                 "steady: platforms repeat.",
                 "a jump: a platform does not see our answers in time, look at the gateway's time to answer."),
                {"share":
                    'sum(rate(orgbridge_resolver_events_total{$scope, outcome=~"duplicate|stale"}[$__rate_interval]))'
                    " / (sum(rate(orgbridge_resolver_events_total{$scope}[$__rate_interval])) > 0) or vector(0)"},
                width=8,
            ),
        ]),
        ("Queue", [
            timeseries(
                "Events in the queue", "short",
                ("Events of each lane that no resolver has acknowledged yet.",
                 "near 0; a peak goes down within minutes.",
                 "more resolvers for the lane, up to `broker.partitions`; or a lane of its own for who fills it."),
                {"{{lane}}": QUEUE % ', hop="events", lane=~"$lane"'}, stacked=True, runbook="queue-deep",
            ),
            bars(
                "Tenants by lane", "short",
                ("How many tenants each lane carries.",
                 "nearly all in `shared`.",
                 "a tenant is moved by `lane` in its file and `orgbridge tenant apply`."),
                {"{{lane}}": default('count by (lane) (max by (tenant, lane) (orgbridge_tenant_info{$scope, lane=~"$lane"}))', "lane")},
            ),
        ]),
        ("Parked and given up", [
            bars(
                "Parked by tenant", "short",
                ("The ten tenants with most entities that wait for others.",
                 "a few, for minutes; many during a first sync.",
                 "`orgbridge parked list --tenant ID` says what they wait for."),
                {"{{tenant}}": top(PARKED % "", "tenant")}, width=8, tenants=True, runbook="parked-old",
            ),
            bars(
                "Oldest parked by tenant", "s",
                ("The ten tenants whose entities have waited longest.",
                 "minutes. After `resolver.parking_limit_seconds` they are given up on.",
                 "what is waited for does not come: the platform is silent, or does not show it to us."),
                {"{{tenant}}": top(PARKED_AGE % "", "tenant")}, width=8, thresholds=steps("green", (PARKED_SECONDS, "orange")),
                tenants=True, runbook="parked-old",
            ),
            timeseries(
                "Dead letters of resolvers", "short",
                ("Events that resolvers gave up on and nobody resolved, over all tenants.",
                 "0.",
                 "`orgbridge dead list` has the reasons."),
                {"resolver": f"sum({DEAD}) or vector(0)" % ', stage="resolver"'}, width=8, runbook="dead-letters",
            ),
        ]),
        ("Processes", processes("resolver")),
    ],
    [LANE],
)

SINK = dashboard(
    "sink", "Sink", "Deliveries: what destinations took, how fast, and what they have not got yet.",
    [
        ("Deliveries", [
            timeseries(
                "Changes by outcome", "cps",
                ("Changes per second, by what became of them.",
                 "nothing but `applied`.",
                 "`retried`: a destination is away or slow. `rejected`: it refuses a change, `orgbridge dead list`."),
                {"{{outcome}}": default("sum by (outcome) (rate(orgbridge_changes_total{$scope}[$__rate_interval]))", "outcome")},
                width=8, stacked=True, runbook="changes-rejected",
            ),
            timeseries(
                "Time of a delivery", "s",
                ("How long destinations take for one delivery, by kind.",
                 "tens of milliseconds in a database, hundreds over HTTP.",
                 "near the time-out deliveries are retried: the destination is overloaded, ask whoever runs it."),
                quantiles("delivery_seconds", "kind"), width=8, runbook="deliveries-slow",
            ),
            heatmap(
                "Time of a delivery, all", "s",
                ("How many deliveries took how long.",
                 "one band for each kind of destination.",
                 "a band that rises: a destination becomes slower."),
                "delivery_seconds", width=8, runbook="deliveries-slow",
            ),
        ]),
        ("From push to commit", [
            timeseries(
                "End to end", "s",
                ("From the platform's push to the destination's commit: half, 95 % and 99 % are faster than this. The objective is 95 % within 5 s.",
                 "below a second for what waits for nothing.",
                 "slow with short queues: a destination. With long ones: resolvers or sinks, add replicas."),
                quantiles("end_to_end_seconds", "platform"), runbook="end-to-end-slow",
            ),
            heatmap(
                "End to end, all", "s",
                ("How many changes were at their destination how soon.",
                 "one dark band below a second; few above, which waited for something.",
                 "the band rises: see the panel beside it."),
                "end_to_end_seconds", runbook="end-to-end-slow",
            ),
        ]),
        ("Backlog", [
            bars(
                "Oldest change by destination", "s",
                ("The ten destinations whose oldest change has waited longest.",
                 "seconds.",
                 "`orgbridge tenant show ID` has the destination's last error."),
                {"{{tenant}} {{destination}}": top(BACKLOG_AGE % "", "tenant")},
                thresholds=steps("green", (60, "orange"), (BACKLOG_SECONDS, "red")), tenants=True, runbook="backlog-old",
            ),
            bars(
                "Backlog by destination", "short",
                ("The ten destinations with most changes that they have not got yet.",
                 "near 0.",
                 "much of one tenant: its destination is away or slow. Of all: sinks are too few."),
                {"{{tenant}} {{destination}}": top(BACKLOG % "", "tenant")}, tenants=True, runbook="backlog-old",
            ),
            timeseries(
                "Wake-ups in the queue", "short",
                ("Messages of each lane that no sink has acknowledged yet. What is to be delivered is in the outbox; these only say that there is something.",
                 "near 0.",
                 "it grows: more sinks for the lane."),
                {"{{lane}}": QUEUE % ', hop="changes", lane=~"$lane"'}, stacked=True, runbook="queue-deep",
            ),
            timeseries(
                "Dead letters of sinks", "short",
                ("Changes that destinations refused and nobody resolved, over all tenants.",
                 "0.",
                 "`orgbridge dead list` has the reasons."),
                {"sink": f"sum({DEAD}) or vector(0)" % ', stage="sink"'}, runbook="dead-letters",
            ),
        ]),
        ("Processes", processes("sink")),
    ],
    [LANE],
)

REQUESTS = 'rate(orgbridge_platform_requests_total{$scope, platform=~"$platform"%s}[$__rate_interval])'

PLATFORMS = dashboard(
    "platforms", "Platforms", "What WeCom, DingTalk and Jiandaoyun answer, how fast, and how much of their limits is used.",
    [
        ("Requests", [
            timeseries(
                "Requests by outcome", "reqps",
                ("Requests per second to platforms, by what came of them.",
                 "`ok`; `not_found` for who was just removed.",
                 "`credentials`, `forbidden`, `refused`: `orgbridge tenant doctor ID` says what to click."),
                {"{{platform}} {{outcome}}": default(f"sum by (platform, outcome) ({REQUESTS % ''})", "outcome")}, width=8, stacked=True,
            ),
            timeseries(
                "Requests by API", "reqps",
                ("Requests per second, by which API.",
                 "more during pulls; a steady walk of details.",
                 "one API that never rests: see which tenant runs, dashboard Sync runs."),
                {"{{platform}} {{api}}": default(f"sum by (platform, api) ({REQUESTS % ''})", "api")}, width=8, stacked=True,
            ),
            timeseries(
                "Requests that failed", "percentunit",
                ("Which share of each platform's requests had another answer than was asked for.",
                 "below 1 %.",
                 "the panel on the left says why."),
                {"{{platform}}": default(
                    "(sum by (platform) ({0}) or sum by (platform) ({1}) * 0) / (sum by (platform) ({1}) > 0)".format(
                        REQUESTS % ', outcome!="ok"', REQUESTS % ""), "platform")},
                width=8,
            ),
            timeseries(
                "Time of a request", "s",
                ("How long platforms take to answer.",
                 "below a second.",
                 "the platform is slow, or the network to it; pulls take longer, nothing is lost."),
                {f"{{{{platform}}}} p{q * 100:.0f}":
                    f'histogram_quantile({q}, sum by (le, platform) (rate('
                    f'orgbridge_platform_request_seconds_bucket{{$scope, platform=~"$platform"}}[$__rate_interval])))'
                 for q in (0.5, 0.95, 0.99)},
                width=8,
            ),
            bars(
                "Slowest APIs", "s",
                ("The ten APIs with the slowest 95 % in the time shown.",
                 "below a second; lists take longer than single entities.",
                 "as on the left."),
                {"{{platform}} {{api}}": top(
                    "histogram_quantile(0.95, sum by (le, platform, api) (increase("
                    'orgbridge_platform_request_seconds_bucket{$scope, platform=~"$platform"}[$__range]))) >= 0', "api")},
                width=8,
            ),
            timeseries(
                "Throttled or out of quota", "reqps",
                ("Requests per second that a platform refused as too many, or that were not sent because the quota is spent.",
                 "0: calls are let through at the rate that platforms allow.",
                 "somebody else calls with the same credentials, or the tenant's limits are lower than usual."),
                {"{{platform}} {{outcome}}": default(
                    f"sum by (platform, outcome) ({REQUESTS})" % ', outcome=~"throttled|quota|quota_spent"', "outcome")},
                width=8, runbook="platform-throttled",
            ),
        ]),
        ("Limits and silence", [
            bars(
                "Quota used", "percentunit",
                ("The ten quotas of this month that are used most.",
                 "below the share of the month that has passed.",
                 "near 100 % less and less is asked for, or pushed: `orgbridge quota ID`."),
                {"{{tenant}} {{platform}} {{kind}}": top("max by (tenant, platform, kind) (orgbridge_quota_used_ratio{$scope})", "tenant")},
                width=8, thresholds=steps("green", (0.7, "orange"), (0.9, "red")), tenants=True, runbook="quota-nearly-used",
            ),
            bars(
                "Silent platforms", "bool_yes_no",
                ("Tenants whose platform refuses or cannot be reached, by what any synchronizer last saw.",
                 "one bar, none.",
                 "`orgbridge tenant doctor ID` from where the synchronizer runs. All tenants at once: the network, or trusted IPs."),
                {"{{tenant}}": default("topk(20, max by (tenant) (orgbridge_platform_silent{$scope}) > 0)", "tenant")},
                width=8, thresholds=NONE_IS_FINE, tenants=True, runbook="platform-silent",
            ),
            bars(
                "Failed pushes in the time shown", "short",
                ("Pushes that DingTalk could not deliver and that were read from its list, by tenant.",
                 "0, or a few after a restart.",
                 "it grows all the time: DingTalk cannot reach us, and what happens is heard of minutes later."),
                {"{{tenant}}": top(happened("failed_pushes_total", "tenant") + " > 0", "tenant")},
                width=8, decimals=0, thresholds=steps("green", (1, "orange")), tenants=True, runbook="failed-pushes",
            ),
        ]),
        ("Forms", [
            timeseries(
                "Form records", "cps",
                ("Records of forms per second, by what they came to.",
                 "`known`, and `sent` for each new one.",
                 "`refused`: `orgbridge mapping list --tenant ID --state refused`. "
                 "`before_start`, `before_since` or `condition` grow: Jiandaoyun ignores filters, and records are sorted out here."),
                {"{{outcome}}": default("sum by (outcome) (rate(orgbridge_form_records_total{$scope}[$__rate_interval]))", "outcome")},
                stacked=True, runbook="form-records-refused",
            ),
            timeseries(
                "Form answers", "cps",
                ("Outcomes per second that were to be written back into forms.",
                 "`written`.",
                 "`unwritable` or `postponed` grows: the rights of the key, and the field."),
                {"{{outcome}}": default("sum by (outcome) (rate(orgbridge_form_answers_total{$scope}[$__rate_interval]))", "outcome")},
                stacked=True, runbook="form-answers-unwritten",
            ),
        ]),
    ],
    [variable(
        "platform", "Platform",
        'label_values(orgbridge_platform_requests_total{job=~"$job", namespace=~"$namespace"}, platform)', every=".+",
    )],
)

SYNC = dashboard(
    "sync", "Sync runs", "Pulls and comparisons: whether directories and products are in step, and what waits for a person.",
    [
        ("Runs", [
            bars(
                "Runs in the time shown", "short",
                ("Pulls of directories and comparisons with core products, by kind and by how they ended or what they wait for.",
                 "`pull finished` and `reconcile finished`, once a day for each tenant.",
                 "`quarantined` or `planned`: a person must decide. `incomplete`: some of it could not be read or written, see the log."),
                {"{{kind}} {{outcome}}": default(happened("sync_runs_total", "kind, outcome"), "kind")},
                width=8, decimals=0, runbook="sync-quarantined",
            ),
            timeseries(
                "Runs over time", "short",
                ("The same, when.",
                 "spread over the day.",
                 "none for a day: synchronizers do not run, or PostgreSQL does not answer them."),
                {"{{kind}} {{outcome}}": default(
                    "sum by (kind, outcome) (increase(orgbridge_sync_runs_total{$scope}[$__rate_interval]))", "kind")},
                width=8, stacked=True,
            ),
            bars(
                "Waiting for a person", "short",
                ("Tenants with runs that were planned or went into quarantine in the time shown.",
                 "one bar, none; `first planned` where a company is being connected.",
                 "`orgbridge sync status ID`, then `sync apply ID` or not."),
                {"{{tenant}} {{kind}} {{outcome}}": top(
                    happened("sync_runs_total", "tenant, kind, outcome", ', outcome=~"planned|quarantined"') + " > 0", "tenant")},
                width=8, decimals=0, thresholds=steps("green", (1, "orange")), tenants=True, runbook="sync-quarantined",
            ),
            timeseries(
                "Least progress", "percentunit",
                ("The ten runs that are least far, of the last one that each synchronizer worked on for each tenant.",
                 "100 %, or growing; 50 % while a plan waits for a person.",
                 "one stands still below that: `orgbridge sync status ID` has why."),
                {"{{tenant}} {{instance}}": default("bottomk(10, max by (tenant, instance) (orgbridge_sync_progress_ratio{$scope}))", "tenant", 1)},
                width=8, top=1, tenants=True, runbook="sync-stalled",
            ),
            bars(
                "Brakes in the time shown", "short",
                ("How often more removals than usual were held back for a person, by tenant.",
                 "one bar, none.",
                 "`orgbridge sync status ID` shows what would go; let it go, or see why the platform says so."),
                {"{{tenant}}": top(happened("brakes_total", "tenant") + " > 0", "tenant")},
                width=8, decimals=0, thresholds=NONE_IS_FINE, tenants=True, runbook="sync-brake",
            ),
            timeseries(
                "Questions", "cps",
                ("Questions per second put to platforms, by what came of them.",
                 "`answered` and `absent`.",
                 "`postponed` goes on: a platform is silent or throttles. `unreadable`: please report it."),
                {"{{outcome}}": default("sum by (outcome) (rate(orgbridge_questions_total{$scope}[$__rate_interval]))", "outcome")},
                width=8,
            ),
        ]),
        ("Differences", [
            bars(
                "In directories", "short",
                ("The ten tenants with most entities that callbacks should have told of and did not, by the last run.",
                 "0 or a few.",
                 "it grows from run to run: callbacks get lost on their way here; look at their address and at what is subscribed."),
                {"{{tenant}}": top("max by (tenant) (orgbridge_directory_differences{$scope})", "tenant")},
                thresholds=steps("green", (10, "orange")), tenants=True, runbook="directory-differences",
            ),
            bars(
                "In records", "short",
                ("The same of punches and approvals.",
                 "0 or a few.",
                 "events of DingTalk get lost: its quota of pushes may be used up, or a forgotten connection takes its share."),
                {"{{tenant}}": top("max by (tenant) (orgbridge_record_differences{$scope})", "tenant")},
                thresholds=steps("green", (10, "orange")), tenants=True, runbook="directory-differences",
            ),
        ]),
        ("Processes", processes("synchronizer")),
    ],
)

DASHBOARDS = [OVERVIEW, TENANT_BOARD, GATEWAY, RESOLVER, SINK, PLATFORMS, SYNC]


def main(arguments):
    files = {TARGET / f"{board['uid'].removeprefix('orgbridge-')}.json": json.dumps(board, indent=2) + "\n" for board in DASHBOARDS}
    if arguments == ["--check"]:
        stale = [path.name for path, text in files.items() if not path.exists() or path.read_text() != text]
        strangers = [path.name for path in TARGET.glob("*.json") if path not in files]
        return "".join(f"{name}: not as deploy/grafana/dashboards.py writes it; run that\n" for name in stale + strangers).rstrip() or 0
    for path, text in files.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
