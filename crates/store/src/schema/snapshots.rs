diesel::table! {
    snapshots (tenant) {
        tenant -> Text,
        run -> Text,
        stage -> Text,
        place -> Nullable<Text>,
        started_at -> BigInt,
        asked_at -> BigInt,
        whole -> Bool,
        done_by -> Nullable<BigInt>,
        differences -> BigInt,
        told -> BigInt,
        due_at -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until -> BigInt,
    }
}

diesel::table! {
    snapshot_rows (tenant, kind, id) {
        tenant -> Text,
        kind -> Text,
        id -> Text,
        body -> Text,
        details -> Nullable<Text>,
    }
}

diesel::table! {
    inferred_removals (tenant, kind, id) {
        tenant -> Text,
        kind -> Text,
        id -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    brake_passes (tenant) {
        tenant -> Text,
        until -> BigInt,
    }
}

diesel::table! {
    walks (tenant) {
        tenant -> Text,
        place -> Text,
    }
}
