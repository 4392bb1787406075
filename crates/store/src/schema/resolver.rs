diesel::table! {
    event_keys (tenant, key) {
        tenant -> Text,
        key -> Text,
        event -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    records (tenant, kind, id) {
        tenant -> Text,
        kind -> Text,
        id -> Text,
        body -> Text,
        inside -> Nullable<Text>,
        parked_since -> Nullable<BigInt>,
        asked -> Bool,
        given_up -> Bool,
        version -> BigInt,
    }
}

diesel::table! {
    waiting (tenant, on_kind, on_id, kind, id, why) {
        tenant -> Text,
        on_kind -> Text,
        on_id -> Text,
        kind -> Text,
        id -> Text,
        why -> Text,
    }
}

diesel::table! {
    releases (tenant, kind, id) {
        tenant -> Text,
        kind -> Text,
        id -> Text,
        after_kind -> Text,
        after_id -> Text,
    }
}

diesel::table! {
    questions (tenant, kind, id) {
        tenant -> Text,
        kind -> Text,
        id -> Text,
        why -> Text,
        asked_at -> BigInt,
        next_attempt -> BigInt,
        attempts -> Integer,
        about_at -> BigInt,
        absent_since -> Nullable<BigInt>,
    }
}

diesel::table! {
    silences (tenant) {
        tenant -> Text,
        since -> BigInt,
    }
}

diesel::table! {
    outbox (tenant, version) {
        tenant -> Text,
        version -> BigInt,
        body -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    replays (seq) {
        seq -> BigInt,
        tenant -> Text,
        destination -> Nullable<Text>,
        kind -> Text,
        id -> Text,
        requested_at -> BigInt,
    }
}
