//! The promises of the trait hold for a spool in front of a broker as they hold for the broker.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use broker::{Broker, SpoolOptions, Spooled};

use crate::support::Files;

struct Both {
    main: Files,
    spool: Files,
}

#[async_trait]
impl broker::suite::Fixture for Both {
    async fn open(&self) -> Arc<dyn Broker> {
        // The broker always works here; a machine that is busy must not make it look otherwise.
        let options = SpoolOptions { patience: Duration::from_secs(60), ..SpoolOptions::new(1 << 30) };
        let main = Arc::new(self.main.queue());
        Arc::new(Spooled::open(main, self.spool.database(), options).await.unwrap())
    }
}

broker::suite!(Both { main: Files::new(), spool: Files::new() });
