//! Who counts what is called.

/// Hears of every HTTP request: for `platform_requests_total` and `platform_request_seconds`.
pub trait Observer: Send + Sync {
    /// A request ended. `api` is the interface, such as `data/list`; `outcome` is `ok` or
    /// [`super::ApiError::label`].
    fn request(&self, api: &'static str, outcome: &'static str, seconds: f64);
}

/// Nobody counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn request(&self, _api: &'static str, _outcome: &'static str, _seconds: f64) {}
}
