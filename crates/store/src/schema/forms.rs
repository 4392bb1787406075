diesel::table! {
    form_polls (tenant, form) {
        tenant -> Text,
        form -> Text,
        mark -> Nullable<BigInt>,
        started_at -> BigInt,
        place -> Nullable<Text>,
        is_full -> Bool,
        full_at -> Nullable<BigInt>,
        due_at -> BigInt,
        why -> Nullable<Text>,
        lease_owner -> Nullable<Text>,
        lease_until -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    form_records (tenant, form, record) {
        tenant -> Text,
        form -> Text,
        record -> Text,
        content_hash -> Text,
        state -> Text,
        user_id -> Nullable<Text>,
        reasons -> Nullable<Text>,
        attempts -> Integer,
        updated_at -> BigInt,
        untold -> Bool,
    }
}
