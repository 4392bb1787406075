diesel::table! {
    quotas (tenant, platform, kind, month) {
        tenant -> Text,
        platform -> Text,
        kind -> Text,
        month -> Text,
        used -> BigInt,
        warned -> Integer,
    }
}

diesel::table! {
    failed_pushes (tenant, id) {
        tenant -> Text,
        id -> Text,
        taken_at -> BigInt,
        content -> Text,
    }
}

diesel::table! {
    repulls (tenant, kind, id, due_at) {
        tenant -> Text,
        kind -> Text,
        id -> Text,
        due_at -> BigInt,
    }
}

diesel::table! {
    client_ids (client_id) {
        client_id -> Text,
        tenant -> Text,
    }
}

diesel::table! {
    people (tenant, platform, foreign_id) {
        tenant -> Text,
        platform -> Text,
        foreign_id -> Text,
        member -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        mobile_digest -> Nullable<Text>,
        updated_at -> BigInt,
        told -> Nullable<Text>,
    }
}

diesel::table! {
    approval_templates (tenant, template) {
        tenant -> Text,
        template -> Text,
        seen_at -> BigInt,
    }
}

diesel::table! {
    approval_days (tenant, approval, day) {
        tenant -> Text,
        approval -> Text,
        day -> Text,
        member -> Text,
        head -> Text,
        noted_at -> BigInt,
    }
}

diesel::table! {
    record_runs (tenant) {
        tenant -> Text,
        place -> Nullable<Text>,
        since -> BigInt,
        started_at -> BigInt,
        due_at -> BigInt,
        back_to -> Nullable<BigInt>,
        differences -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_until -> BigInt,
    }
}

diesel::table! {
    failed_reads (tenant, owner) {
        tenant -> Text,
        owner -> Text,
        since -> BigInt,
        began_at -> BigInt,
    }
}

diesel::table! {
    kind_silences (tenant, kind) {
        tenant -> Text,
        kind -> Text,
        since -> BigInt,
    }
}
