diesel::table! {
    allowances (company, interface, egress, per_millis) {
        company -> Text,
        interface -> Text,
        egress -> Text,
        per_millis -> BigInt,
        total_micros -> BigInt,
        backfill_micros -> BigInt,
        refused_until -> BigInt,
        refused_millis -> BigInt,
        used_at -> BigInt,
    }
}
