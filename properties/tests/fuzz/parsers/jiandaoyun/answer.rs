//! What the data API answers: through the client, from a real socket.

use std::sync::Arc;

use common::Secret;
use jiandaoyun::{
    Form,
    api::{ApiError, Client, Observer, Page, Query, Rate, Record, Settings, Widgets},
    mapping::{Honoured, Mapping},
};
use outbound::Unlimited;
use platform_sim::jiandaoyun::samples::{contract_form, rich_form};
use serde_json::Map;
use test_kit::TestClock;

use super::{CANARY, CONTRACT, NOW, RICH, WORDS, bound};
use crate::{
    fuzzer::{Came, Limits, Parser, fuzz},
    made,
    parsers::exchange::{Ear, Exchange, Said, shape},
};

/// The record that is asked for, and one before all others.
const RECORD: &str = "69d8ab62d78c62093e724f25";
const CURSOR: &str = "600000000000000000000000";

const CALLS: [&str; 6] = ["page", "next", "record", "honours", "widgets", "update"];

#[test]
fn an_answer_of_the_api_is_understood_or_an_error() {
    let mappings = [bound(CONTRACT, &contract_form()), bound(RICH, &rich_form())];
    let caller = Caller { exchange: Exchange::new(), mappings };
    let mut tokens = WORDS.to_vec();
    tokens.extend([
        "400 ",
        "\n",
        "\"code\":8303,",
        "\"code\":\"8304\",",
        "\"code\":9004,",
        "\"code\":17018,",
        "\"code\":4001,",
        "\"code\":7212,",
        "\"msg\":\"canary-4711\",",
        "\"data\":{",
        "\"data\":[",
        "{\"_id\":\"5fffffffffffffffffffffff\"},",
        "\"widgets\":[",
        "\"sysWidgets\":[{\"name\":\"flowState\"}],",
        "\"widgetName\":\"_widget_1001\",",
        "\"type\":\"subform\",",
        "\"items\":[",
        "\"dataModifyTime\":\"2026-11-21T03:12:15.293Z\",",
    ]);
    let mut made = made::jiandaoyun::answers(RECORD);
    for begin in ["200 record\n{\"data\":{", "200 widgets\n{\"widgets\":[],", "400 page\n{"] {
        made.extend(made::json(begin));
    }
    let parse = |input: &[u8]| caller.came(input);
    fuzz(&Parser { name: "jdy_answer", tokens: &tokens, limits: Limits::EXCHANGE, made, parse: &parse });
}

/// A page of which fields are named may be asked for once more at once. Any other call that has been answered, and still does
/// not come to an end, waits for another try.
struct Heard {
    ear: Ear,
    may_ask_again: bool,
}

impl Observer for Heard {
    fn request(&self, _api: &'static str, outcome: &'static str, _seconds: f64) {
        if outcome != "ok" || !self.may_ask_again {
            self.ear.ring(outcome);
        }
    }
}

struct Caller {
    exchange: Exchange,
    mappings: [Mapping; 2],
}

impl Caller {
    fn came(&self, input: &[u8]) -> Came {
        let said = Said::read(input, &CALLS, "page");
        self.exchange.came(&said, &[], || self.ask(said.call))
    }

    async fn ask(&self, call: &str) -> Came {
        let heard = Arc::new(Heard { ear: Ear::default(), may_ask_again: call == "page" });
        let client = self.client(&heard);
        let answered = async {
            match self.shape_of(&client, call).await {
                Ok(shape) => Came::taken(format!("{call} {shape}")),
                Err(error) => {
                    let said = format!("{error} {error:?}");
                    assert!(!said.contains(CANARY), "an error tells what it must not: {said}");
                    Came::refused(format!("{call} {} {:?}", error.label(), error.kind()))
                }
            }
        };
        heard.ear.listen(call, answered).await
    }

    /// A new one each time: it remembers which forms do not name system fields.
    fn client(&self, heard: &Arc<Heard>) -> Client {
        let api_key = Secret::new(format!("{CANARY}-key"));
        let settings = Settings { api_key, api_base: self.exchange.base(), rate: Rate::Gentle };
        assert!(!format!("{settings:?}").contains(CANARY));
        let (clock, observer) = (Arc::new(TestClock::at(NOW)), Arc::clone(heard) as Arc<dyn Observer>);
        Client::new(settings, self.exchange.http.clone(), Arc::new(Unlimited), clock, observer)
    }

    /// Puts a call, looks at what is answered, and says what shape that has.
    async fn shape_of(&self, client: &Client, call: &str) -> Result<String, ApiError> {
        let [mapping, _] = &self.mappings;
        let form = mapping.form();
        Ok(match call {
            "next" => {
                let query = Query { after: Some(CURSOR), ..Query::ALL };
                let page = client.records_page(form, &query).await?.value;
                assert!(page.records.iter().all(|record| record.id.as_str() > CURSOR), "it goes back: {page:?}");
                is_sound(&page);
                shape(&page)
            }
            "record" => {
                let record = client.record(form, RECORD).await?.value;
                assert!(record.as_ref().is_none_or(|record| record.id == RECORD), "it is another one: {record:?}");
                record.iter().for_each(is_read_again);
                shape(&record)
            }
            "honours" => {
                let filter = mapping.filter(Some(NOW), Honoured::default()).unwrap();
                shape(&client.honours(form, &filter).await?.value)
            }
            "widgets" => {
                let widgets = client.widgets(form).await?.value;
                format!("{} {}", self.fit(&widgets), shape(&widgets))
            }
            "update" => {
                client.update(form, RECORD, &Map::new()).await?;
                "written".to_owned()
            }
            _ => {
                let fields = mapping.fields();
                let page = client.records_page(form, &Query { fields: &fields, ..Query::ALL }).await?.value;
                is_sound(&page);
                shape(&page)
            }
        })
    }

    /// What mappings say of a form with these fields.
    fn fit(&self, widgets: &Widgets) -> String {
        let all_are_found = widgets.widgets.iter().all(|widget| {
            let found = widgets.find(&widget.name).is_some() && widgets.find(&widget.widget_name).is_some();
            found && widget.items.iter().all(|item| widget.item(&item.name).is_some())
        });
        assert!(all_are_found, "a field is not found by its name: {widgets:?}");
        let fits = |mapping: &Mapping| match mapping.bind(widgets) {
            Ok((bound, _)) => {
                assert_eq!(bound.form(), mapping.form());
                "fits"
            }
            Err(problems) => {
                problems.first().map(|problem| problem.word).unwrap_or_else(|| panic!("refused without a reason"))
            }
        };
        let [contract, rich] = &self.mappings;
        format!("{} {}", fits(contract), fits(rich))
    }
}

/// A page leads on, or is the last; what people wrote is not in what is printed of it.
fn is_sound(page: &Page) {
    assert!(page.is_last || page.last_id.is_some(), "nothing follows it, and it is not the last: {page:?}");
    page.records.iter().for_each(is_read_again);
}

fn is_read_again(record: &Record) {
    let again = Record::read(record.values.clone().into());
    assert!(again.as_ref() == Some(record), "it is read as another one: {again:?} {record:?}");
    assert!(Form::of_entity(&entity_of(record)).is_some_and(|(_, id)| id == record.id), "{record:?}");
    assert!(!format!("{record:?}").contains(CANARY), "{record:?}");
}

fn entity_of(record: &Record) -> String {
    let form = Form::new("64a0c0ffee000000000000aa", "64a0c0ffee000000000000bb").unwrap();
    form.entity_id(&record.id)
}
