//! Panics as values, without a word on the terminal: they are looked for.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

static HOOK: Once = Once::new();

thread_local! {
    static LISTENING: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What `work` gives, or what it said when it panicked. Panics of other threads are heard as before.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if LISTENING.get() {
                SAID.set(info.to_string());
            } else {
                before(info);
            }
        }));
    });
    LISTENING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    LISTENING.set(false);
    result.map_err(|_payload| SAID.take())
}
