diesel::table! {
    destinations (tenant, id) {
        tenant -> Text,
        id -> Text,
        kind -> Text,
        position -> BigInt,
        started_version -> BigInt,
        state -> Text,
        backfill -> Nullable<Text>,
        fingerprint -> Text,
        touched -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until -> BigInt,
        fence -> BigInt,
        handshake_at -> Nullable<BigInt>,
        last_second -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        failing_since -> Nullable<BigInt>,
        last_success_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    held (tenant, destination, kind, id) {
        tenant -> Text,
        destination -> Text,
        kind -> Text,
        id -> Text,
        version -> BigInt,
        state -> Text,
        reason -> Nullable<Text>,
        absent -> Bool,
        removal -> Bool,
        there_keys -> Text,
        left_keys -> Text,
        waits_for -> Text,
        formerly -> Text,
        attempts -> Integer,
        next_attempt -> BigInt,
        since -> BigInt,
        body -> Text,
        unsure -> Bool,
    }
}

diesel::table! {
    taken (tenant, destination, kind, id) {
        tenant -> Text,
        destination -> Text,
        kind -> Text,
        id -> Text,
        version -> BigInt,
        body -> Text,
        doubt -> Nullable<Text>,
    }
}

diesel::table! {
    messages (tenant, destination, version) {
        tenant -> Text,
        destination -> Text,
        version -> BigInt,
        message -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    attempts (id) {
        id -> BigInt,
        tenant -> Text,
        destination -> Text,
        from_version -> BigInt,
        to_version -> BigInt,
        changes -> Integer,
        kind -> Nullable<Text>,
        entity -> Nullable<Text>,
        at -> BigInt,
        took_millis -> BigInt,
        outcome -> Text,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    dead_letters (id) {
        id -> Text,
        tenant -> Text,
        stage -> Text,
        kind -> Text,
        entity -> Text,
        reason -> Text,
        detail -> Text,
        content -> Text,
        destination -> Nullable<Text>,
        version -> Nullable<BigInt>,
        since -> BigInt,
        resolved_at -> Nullable<BigInt>,
        resolution -> Nullable<Text>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(destinations, held);
