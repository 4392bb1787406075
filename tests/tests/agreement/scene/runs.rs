//! Runs, as `orgbridge sync` asks for them and decides on them.

use std::ffi::OsString;

use database::Connection;
use orgbridge::{Language, Output};
use outbound::Guard;
use service::Environment;
use store::runs::{self, Answer, PlanItem, Run, Wanted, Wish};
use synchronizer::run::{Difference, Products, differences};
use test_kit::eventually;

use super::{REQUEST_TIMEOUT, Scene, core_id, synchronizer_config, tenant};

impl Scene {
    /// Asks for a run.
    pub(crate) async fn request(&self, wanted: Wanted) -> Run {
        self.request_as(wanted, None).await
    }

    /// Asks for a run; the key names the request.
    pub(crate) async fn request_as(&self, wanted: Wanted, key: Option<&'static str>) -> Run {
        let now = self.now();
        let ask = move |conn: &mut Connection| runs::request(conn, &tenant(), Wish { wanted, key }, now);
        self.write(ask).await.unwrap()
    }

    /// Asks for a run, and waits until it is over or waits for a person.
    pub(crate) async fn sync(&self, wanted: Wanted) -> Run {
        let run = self.request(wanted).await;
        self.ended(&run).await
    }

    /// Waits until a run is over or waits for a person.
    pub(crate) async fn ended(&self, run: &Run) -> Run {
        let look = async || self.run(run).await;
        eventually("the run goes as far as it goes by itself", look, |run| !run.state.is_at_work()).await
    }

    /// A run as it is now.
    pub(crate) async fn run(&self, run: &Run) -> Run {
        let id = run.id.clone();
        self.read(move |conn| runs::get(conn, &id)).await.unwrap()
    }

    /// A person allows what a run removes.
    pub(crate) async fn allow(&self, run: &Run) -> Run {
        let (id, now) = (run.id.clone(), self.now());
        decided(self.write(move |conn| runs::allow(conn, &id, now)).await)
    }

    /// A person says no to what a run removes.
    pub(crate) async fn reject(&self, run: &Run) -> Run {
        let (id, now) = (run.id.clone(), self.now());
        decided(self.write(move |conn| runs::reject(conn, &id, now)).await)
    }

    /// A person wants the way back from a run; waits until it is over.
    pub(crate) async fn undo(&self, run: &Run) -> Run {
        let (id, now) = (run.id.clone(), self.now());
        let undo = decided(self.write(move |conn| runs::undo(conn, &id, now)).await);
        self.ended(&undo).await
    }

    /// Runs look after the core again.
    pub(crate) async fn resume(&self) {
        assert!(self.write(|conn| runs::resume(conn, &tenant(), &core_id())).await, "it was not paused");
    }

    /// All runs of the tenant, the newest first.
    pub(crate) async fn runs(&self) -> Vec<Run> {
        self.read(|conn| runs::list(conn, &tenant(), 1000)).await
    }

    /// The plan of a run.
    pub(crate) async fn items(&self, run: &Run) -> Vec<PlanItem> {
        let id = run.id.clone();
        self.read(move |conn| runs::items(conn, &id, 0, 1_000_000)).await
    }

    /// What `orgbridge sync diff` tells.
    pub(crate) async fn diff(&self) -> Vec<Difference> {
        let file = self.stage.context.tenants.get(&tenant()).unwrap();
        let http = outbound::Client::new(Guard::new(Vec::new()), REQUEST_TIMEOUT).unwrap();
        let (database, products) = (&self.stage.context.database, Products::new(http));
        differences(database, &file.file, &products, &synchronizer_config(), self.now()).await.unwrap()
    }

    /// What the core may have lost since a version is sent again, as the command has it done.
    pub(crate) async fn send_again_from(&self, version: u64) {
        let from = version.to_string();
        let arguments =
            ["orgbridge", "destination", "reset", "--tenant", "acme", "--destination", "core", "--from", from.as_str()];
        let arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
        let directory = self.stage.directory();
        let environment: Environment = [
            ("ORGBRIDGE__DATA_DIR".to_owned(), directory.display().to_string()),
            ("ORGBRIDGE__DATABASE__URL".to_owned(), format!("sqlite://{}", directory.join("orgbridge.db").display())),
        ]
        .into();
        let command = move || {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let code = orgbridge::run(arguments, environment, &mut Output::new(&mut out, &mut err, Language::English));
            (format!("{code:?}"), String::from_utf8(err).unwrap())
        };
        let (code, said) = tokio::task::spawn_blocking(command).await.unwrap();
        assert_eq!(code, format!("{:?}", std::process::ExitCode::SUCCESS), "{said}");
    }
}

fn decided(answer: Answer) -> Run {
    match answer {
        Answer::Done(run) => run,
        other => panic!("not done: {other:?}"),
    }
}
