use serde_json::json;

use super::super::failed::FailedOptions;
use super::*;

fn script() -> Script {
    let routes = vec![Route::Stream, Route::Http, Route::Failed];
    Script { seed: 7, copies: 4, routes, shuffled: true, dropped: 0.1, lost: 0.05, ..Script::over(Route::Stream) }
}

#[test]
fn every_event_gets_out_one_to_four_times_unless_it_is_lost() {
    let made = itinerary(1_000, &script());
    let mut times = vec![0; 1_000];
    for (index, _route) in &made.steps {
        times[*index] += 1;
    }
    assert!((20..100).contains(&made.lost.len()) && (60..150).contains(&made.dropped.len()));
    assert!(made.lost.iter().all(|index| times[*index] == 0));
    assert!(made.dropped.iter().all(|index| times[*index] == 1));
    let sent: Vec<_> = times.iter().filter(|times| **times > 0).collect();
    assert_eq!(sent.len() + made.lost.len(), 1_000);
    assert_eq!(times.iter().max(), Some(&4));
    for route in [Route::Stream, Route::Http, Route::Failed] {
        assert!(made.steps.iter().filter(|(_index, taken)| *taken == route).count() > 500);
    }
    assert!(!made.steps.is_sorted_by_key(|(index, _route)| *index));
}

#[test]
fn an_itinerary_follows_from_its_seed() {
    assert_eq!(itinerary(100, &script()), itinerary(100, &script()));
    assert_ne!(itinerary(100, &script()), itinerary(100, &Script { seed: 8, ..script() }));
    let natural = itinerary(3, &Script::over(Route::Http));
    assert_eq!(natural.steps, [(0, Route::Http), (1, Route::Http), (2, Route::Http)]);
}

#[tokio::test]
async fn what_gets_nowhere_else_is_in_the_list() {
    let failed = FailedList::new(FailedOptions::default());
    let clock = Clock::manual(5);
    let channels = Channels { stream: None, push: None, failed: failed.clone(), clock };
    let events: Vec<_> =
        (0..20).map(|number| Event::new(1, number, "ding", "user_add_org", 0, json!({"userId": ["u"]}))).collect();
    let sent = channels.deliver(&events, &Script { dropped: 1.0, ..Script::over(Route::Stream) }).await;
    assert_eq!(sent.itinerary.dropped.len(), 20);
    assert_eq!(failed.parked_ids(), events.iter().map(|event| event.id.clone()).collect::<Vec<_>>());
    let sent = channels.deliver(&events, &Script::over(Route::Http)).await;
    assert_eq!((sent.http_delivered, sent.http_parked, failed.waiting()), (0, 0, 20));
}
