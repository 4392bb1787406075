"""Grafana's JSON: panels, variables and dashboards as functions, so that what is common to all of them is said once; and what
others need who read it."""

import re

REPOSITORY = "https://github.com/orgbridge/orgbridge/blob/main"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# What every selector begins with; in queries it is written `$scope`.
SCOPE = 'job=~"$job", namespace=~"$namespace", instance=~"$instance"'
TENANT_LINK = {
    "title": "This tenant",
    "url": "/d/orgbridge-tenant?${datasource:queryparam}&${job:queryparam}&${namespace:queryparam}"
    "&var-tenant=${__field.labels.tenant}&${__url_time_range}",
}


def default(query, label, value=0):
    """The query, or a value under the name `none`: for what has no series as long as it never happened."""
    return f'{query} or on () label_replace(vector({value}), "{label}", "none", "", "")'


def quantiles(histogram, label):
    """Three quantiles of a histogram, apart by a label."""
    rate = f"sum by (le, {label}) (rate(orgbridge_{histogram}_bucket{{$scope}}[$__rate_interval]))"
    return {f"{{{{{label}}}}} p{q * 100:.0f}": f"histogram_quantile({q}, {rate})" for q in (0.5, 0.95, 0.99)}


def steps(*steps):
    """Thresholds: `steps("green", (1, "red"))` is green below 1."""
    steps = [(None, steps[0]), *steps[1:]]
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in steps]}


CALM = steps("green")
NONE_IS_FINE = steps("green", (1, "red"))


def timeseries(title, unit, about, queries, *, width=12, stacked=False, top=None, **more):
    custom = {"fillOpacity": 25 if stacked else 8, "lineWidth": 1, "showPoints": "never"}
    if stacked:
        custom["stacking"] = {"group": "A", "mode": "normal"}
    options = {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    defaults = {"custom": custom, "min": 0}
    if top is not None:
        defaults["max"] = top
    return _panel("timeseries", title, unit, about, queries, (width, 8), options, defaults, **more)


def stat(title, unit, about, query, *, width=4, thresholds=CALM, legend="", text="value", instant=False, **more):
    """One number of now and its course, or of the time shown where the query says `$__range`."""
    options = {
        "colorMode": "value",
        "graphMode": "none" if instant or text == "name" else "area",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": text,
    }
    defaults = {"color": {"mode": "thresholds"}, "thresholds": thresholds}
    return _panel("stat", title, unit, about, {legend: query}, (width, 4), options, defaults, instant=instant, **more)


def bars(title, unit, about, queries, *, width=12, thresholds=CALM, **more):
    """The values of now, one bar each, or of the time shown where the query says `$__range`."""
    options = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "valueMode": "color",
    }
    defaults = {"color": {"mode": "thresholds"}, "min": 0, "thresholds": thresholds}
    return _panel("bargauge", title, unit, about, queries, (width, 8), options, defaults, instant=True, **more)


def table(title, unit, about, query, columns, *, width=12, thresholds=CALM, **more):
    """One row per series; `columns` are the labels, and `Value`, in their order and with their heads."""
    organize = {
        "excludeByName": {"Time": True},
        "indexByName": {name: index for index, name in enumerate(columns)},
        "renameByName": columns,
    }
    cell = {"id": "custom.cellOptions", "value": {"type": "color-text"}}
    return _panel(
        "table", title, unit, about, {"": query}, (width, 8),
        {"cellHeight": "sm", "showHeader": True},
        {"color": {"mode": "thresholds"}, "thresholds": thresholds},
        format="table", instant=True,
        overrides=[{"matcher": {"id": "byName", "options": columns["Value"]}, "properties": [cell]}],
        transformations=[{"id": "organize", "options": organize}],
        **more,
    )


def heatmap(title, unit, about, histogram, *, width=12, **more):
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {"exponent": 0.5, "mode": "scheme", "reverse": False, "scheme": "Blues", "steps": 64},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": True},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    queries = {"{{le}}": f"sum by (le) (increase(orgbridge_{histogram}_bucket{{$scope}}[$__rate_interval]))"}
    return _panel("heatmap", title, unit, about, queries, (width, 8), options, {}, format="heatmap", **more)


def _panel(
    kind, title, unit, about, queries, size, options, defaults,
    *, format="time_series", instant=False, overrides=(), runbook=None, tenants=False, transformations=(), nothing=None, decimals=None,
):
    what, normal, otherwise = about
    description = f"{what}\n\n**Normal:** {normal}\n\n**If not:** {otherwise}"
    defaults = {"unit": unit, **defaults}
    links = []
    if runbook:
        url = f"{REPOSITORY}/docs/runbooks/{runbook}.md"
        description += f"\n\n[Runbook]({url})"
        links.append({"targetBlank": True, "title": "Runbook", "url": url})
    if tenants:
        defaults["links"] = [TENANT_LINK]
    if nothing:
        defaults["noValue"] = nothing
    if decimals is not None:
        defaults["decimals"] = decimals
    panel = {
        "id": None,
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"h": size[1], "w": size[0], "x": 0, "y": 0},
        "links": links,
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "expr": query.replace("$scope", SCOPE),
                "format": format,
                "instant": instant,
                "range": not instant,
                "legendFormat": legend,
            }
            for index, (legend, query) in enumerate(queries.items())
        ],
    }
    if transformations:
        panel["transformations"] = list(transformations)
    return panel


def processes(service):
    """What a service's processes use. In the one process that is all services the label `service` is absent, or its own."""
    which = f'{{$scope, service=~"({service}|orgbridge)?"}}'
    name = "{{service}} {{instance}}"
    return [
        timeseries(
            "Processor", "percentunit",
            ("Processor time of each process; 100 % is one core.",
             "far below the limit that the process has, and alike among replicas.",
             "at its limit the queues grow: start more replicas, or raise the limit."),
            {name: f"sum by (service, instance) (rate(orgbridge_process_cpu_seconds_total{which}[$__rate_interval]))"},
            width=8,
        ),
        timeseries(
            "Memory", "bytes",
            ("Resident memory of each process.",
             "level after the first minutes, far below the limit of its container.",
             "what grows for hours ends in a restart by the kernel, which loses nothing; tell us what the tenant does."),
            {name: f"max by (service, instance) (orgbridge_process_resident_memory_bytes{which})"},
            width=8, runbook="memory-near-limit",
        ),
        timeseries(
            "Open files", "short",
            ("Sockets and files of each process, and the least that one of them may have.",
             "far below the limit.",
             "near the limit connections are refused: raise `ulimit -n`, or start more replicas."),
            {
                name: f"max by (service, instance) (orgbridge_process_open_fds{which})",
                "limit": f"min(orgbridge_process_max_fds{which})",
            },
            width=8, runbook="file-descriptors",
        ),
    ]


def variable(name, label, query, *, every=None, **more):
    """A variable whose values Prometheus knows; `every` is the pattern of all of them, and makes it a multiple choice."""
    choice = {"allValue": every, "current": {"selected": True, "text": ["All"], "value": ["$__all"]}, "includeAll": True, "multi": True}
    if every is None:
        choice = {"current": {}, "includeAll": False, "multi": False}
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"qryType": 1, "query": query, "refId": "Variable"},
        "refresh": 2,
        "sort": 1,
        **choice,
        **more,
    }


COMMON_VARIABLES = [
    {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "current": {}, "refresh": 1},
    variable("job", "Job", "label_values(orgbridge_build_info, job)", every=".+"),
    # Of two installations in one cluster; elsewhere the label is absent.
    variable("namespace", "Namespace", 'label_values(orgbridge_build_info{job=~"$job"}, namespace)', every=".*"),
    variable(
        "instance", "Instance",
        'label_values(orgbridge_build_info{job=~"$job", namespace=~"$namespace"}, instance)', every=".+",
    ),
]


def dashboard(name, title, description, rows, variables=()):
    """A dashboard: its rows are pairs of a title and panels, which are laid out from left to right."""
    panels, y = [], 0
    for row_title, row in rows:
        panels.append({"id": None, "type": "row", "title": row_title, "collapsed": False, "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": []})
        x, y, height = 0, y + 1, 0
        for panel in row:
            place = panel["gridPos"]
            if x + place["w"] > 24:
                x, y, height = 0, y + height, 0
            place["x"], place["y"] = x, y
            x, height = x + place["w"], max(height, place["h"])
            panels.append(panel)
        y += height
    for number, panel in enumerate(panels, 1):
        panel["id"] = number
    return {
        "uid": f"orgbridge-{name}",
        "title": f"OrgBridge / {title}",
        "description": description,
        "tags": ["orgbridge"],
        "schemaVersion": 41,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "links": [
            {"type": "dashboards", "title": "OrgBridge", "tags": ["orgbridge"], "asDropdown": True, "includeVars": True, "keepTime": True},
            {"type": "link", "title": "Operating", "icon": "doc", "targetBlank": True, "url": f"{REPOSITORY}/docs/operating.md"},
            {"type": "link", "title": "Runbooks", "icon": "doc", "targetBlank": True, "url": f"{REPOSITORY}/docs/runbooks/README.md"},
        ],
        "annotations": {"list": []},
        "templating": {"list": [*COMMON_VARIABLES, *variables]},
        "panels": panels,
    }


def targets(board):
    """The queries of a dashboard, each with its panel."""
    return [(panel, target) for panel in board["panels"] for target in panel.get("targets", [])]


def filled(text, values):
    """The text with the variables replaced that have a value; others stay."""
    name = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
    return name.sub(lambda found: values.get(found[1] or found[2], found[0]), text)
