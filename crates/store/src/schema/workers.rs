diesel::table! {
    workers (queue, instance) {
        queue -> Text,
        instance -> Text,
        seen_at -> BigInt,
    }
}
