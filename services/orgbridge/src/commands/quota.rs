//! `quota`: how much is used this month of what DingTalk counts (reference dingtalk 5.1).

use common::{Platform, TenantId};
use database::Connection;
use dingtalk::china_time;
use serde_json::{Value, json};
use service::tenant::DingtalkSection;
use store::quota::{self, Kind};

use super::{Desk, Done};
use crate::{Output, arguments::Printing, texts};

/// How a quota stands this month.
pub(super) struct Standing {
    pub(super) kind: Kind,
    /// The month by the platform's time.
    month: String,
    pub(super) used: u64,
    /// How many the company may use, by the tenant's file.
    pub(super) limit: u64,
    /// When the next month begins.
    until: String,
}

impl Standing {
    /// How much of it is used, in tenths of a percent, rounded down.
    pub(super) fn per_mille(&self) -> u64 {
        self.used.saturating_mul(1000).checked_div(self.limit).unwrap_or_default()
    }

    /// The same in percent, for people.
    fn percent(&self) -> String {
        let per_mille = self.per_mille();
        format!("{}.{}", per_mille / 10, per_mille % 10)
    }

    fn to_json(&self) -> Value {
        json!({
            "platform": Platform::Dingtalk.as_str(),
            "kind": self.kind.as_str(),
            "month": self.month,
            "used": self.used,
            "limit": self.limit,
            "percent": self.percent().parse::<f64>().unwrap_or_default(),
            "until": self.until,
        })
    }
}

/// What is used this month of each quota that a tenant's DingTalk has.
pub(super) async fn standings(
    desk: &Desk,
    tenant: &TenantId,
    section: &DingtalkSection,
) -> database::Result<Vec<Standing>> {
    let now = desk.now();
    let (of, month, until) = (tenant.clone(), china_time::month_of(now), china_time::next_month(now).to_rfc3339());
    let limits = [(Kind::Api, section.monthly_api_quota), (Kind::Stream, section.monthly_stream_quota)];
    let read = move |conn: &mut Connection| -> database::Result<Vec<Standing>> {
        let standing = |(kind, limit): (Kind, u64)| -> database::Result<Standing> {
            let used = quota::used(conn, &of, Platform::Dingtalk, kind, &month)?;
            Ok(Standing { kind, month: month.clone(), used, limit, until: until.clone() })
        };
        limits.into_iter().map(standing).collect()
    };
    desk.database.read("quota.used", read).await
}

/// Shows how much is used this month of what a tenant's platforms count.
pub(super) async fn quota(desk: &Desk, tenant: TenantId, printing: Printing, output: &mut Output<'_>) -> Done {
    let file = desk.file(&tenant, output).await?;
    let found = match &file.dingtalk {
        Some(section) => standings(desk, &tenant, section).await?,
        None => Vec::new(),
    };
    if printing.json {
        return Ok(output.json(&found.iter().map(Standing::to_json).collect::<Vec<_>>())?);
    }
    if found.is_empty() {
        return Ok(output.line(texts::no_quotas(output.language, tenant))?);
    }
    let row = |one: &Standing| {
        [
            Platform::Dingtalk.as_str().to_owned(),
            one.kind.as_str().to_owned(),
            one.month.clone(),
            one.used.to_string(),
            one.limit.to_string(),
            one.percent(),
            one.until.clone(),
        ]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    Ok(output.table(["PLATFORM", "KIND", "MONTH", "USED", "OF", "%", "UNTIL"], &rows)?)
}
