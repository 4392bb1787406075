use super::*;

#[test]
fn names_types_and_labels_are_pinned() {
    let metrics = Metrics::new().unwrap();
    metrics.callbacks_total.with_label_values(&["wecom", "accepted"]).inc();
    metrics.callback_seconds.with_label_values(&["wecom"]).observe(0.1);
    metrics.events_published_total.with_label_values(&["wecom", "acme", "member.created"]).inc();
    metrics.stream_connections.with_label_values(&["acme", "open"]).set(2);
    metrics.resolver_events_total.with_label_values(&["acme", "applied"]).inc();
    metrics.changes_total.with_label_values(&["acme", "core", "applied"]).inc();
    metrics.delivery_seconds.with_label_values(&["sqlite"]).observe(0.1);
    metrics.end_to_end_seconds.with_label_values(&["wecom"]).observe(0.1);
    metrics.note_request(Platform::Wecom, "user/get", "ok", 0.1);
    metrics.queue_messages.with_label_values(&["events", "shared"]).set(3);
    metrics.note_ready(true);
    let text = metrics.render().unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("_bucket") && !line.contains("_process_"))
        .collect();
    let revision = option_env!("ORGBRIDGE_REVISION").unwrap_or("unknown");
    assert_eq!(
        lines,
        [
            &format!("orgbridge_build_info{{revision=\"{revision}\",version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
            "orgbridge_callback_seconds_sum{platform=\"wecom\"} 0.1",
            "orgbridge_callback_seconds_count{platform=\"wecom\"} 1",
            "orgbridge_callbacks_total{outcome=\"accepted\",platform=\"wecom\"} 1",
            "orgbridge_changes_total{destination=\"core\",outcome=\"applied\",tenant=\"acme\"} 1",
            "orgbridge_delivery_seconds_sum{kind=\"sqlite\"} 0.1",
            "orgbridge_delivery_seconds_count{kind=\"sqlite\"} 1",
            "orgbridge_end_to_end_seconds_sum{platform=\"wecom\"} 0.1",
            "orgbridge_end_to_end_seconds_count{platform=\"wecom\"} 1",
            "orgbridge_events_published_total{platform=\"wecom\",tenant=\"acme\",type=\"member.created\"} 1",
            "orgbridge_platform_request_seconds_sum{api=\"user/get\",platform=\"wecom\"} 0.1",
            "orgbridge_platform_request_seconds_count{api=\"user/get\",platform=\"wecom\"} 1",
            "orgbridge_platform_requests_total{api=\"user/get\",outcome=\"ok\",platform=\"wecom\"} 1",
            "orgbridge_queue_messages{hop=\"events\",lane=\"shared\"} 3",
            "orgbridge_ready 1",
            "orgbridge_resolver_events_total{outcome=\"applied\",tenant=\"acme\"} 1",
            "orgbridge_spool_bytes 0",
            "orgbridge_spool_events 0",
            "orgbridge_stream_connections{state=\"open\",tenant=\"acme\"} 2",
        ]
    );
}

#[test]
fn a_family_is_registered_once() {
    let metrics = Metrics::new().unwrap();
    let family = || prometheus::IntCounter::new("extra_total", "Extra.").unwrap();
    metrics.register(family()).unwrap();
    assert!(metrics.register(family()).is_err());
}
