diesel::table! {
    links (tenant, destination, kind, platform_id) {
        tenant -> Text,
        destination -> Text,
        kind -> Text,
        platform_id -> Text,
        core_id -> Text,
        core_key -> Text,
        decided_by -> Text,
        since -> BigInt,
    }
}

diesel::table! {
    link_rejections (tenant, destination, kind, platform_id, core_key) {
        tenant -> Text,
        destination -> Text,
        kind -> Text,
        platform_id -> Text,
        core_key -> Text,
        core_id -> Text,
        since -> BigInt,
    }
}
