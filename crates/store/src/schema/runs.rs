diesel::table! {
    sync_runs (id) {
        id -> Text,
        tenant -> Text,
        kind -> Text,
        destination -> Nullable<Text>,
        undoes -> Nullable<Text>,
        state -> Text,
        wanted -> Text,
        step -> Text,
        done -> BigInt,
        total -> BigInt,
        counts -> Text,
        complete -> Bool,
        why -> Nullable<Text>,
        request_key -> Nullable<Text>,
        mirror_version -> BigInt,
        last_version -> BigInt,
        requested_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        lease_owner -> Nullable<Text>,
        lease_until -> BigInt,
    }
}

diesel::table! {
    plan_items (run, seq) {
        run -> Text,
        seq -> BigInt,
        destination -> Text,
        action -> Text,
        kind -> Text,
        id -> Nullable<Text>,
        core_id -> Nullable<Text>,
        why -> Text,
        before -> Nullable<Text>,
        after -> Nullable<Text>,
        state -> Text,
        version -> Nullable<BigInt>,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    sync_pauses (tenant, destination) {
        tenant -> Text,
        destination -> Text,
        run -> Text,
        since -> BigInt,
    }
}
