diesel::table! {
    tenants (id) {
        id -> Text,
        document -> Text,
        data_key -> Text,
        lane -> Text,
        revision -> BigInt,
        applied_at -> BigInt,
        previous_callback -> Nullable<Text>,
        previous_until -> Nullable<BigInt>,
        last_version -> BigInt,
        published_version -> BigInt,
        outbox_owner -> Nullable<Text>,
        outbox_until -> Nullable<BigInt>,
        removed_at -> Nullable<BigInt>,
    }
}
