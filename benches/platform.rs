//! How long reading and judging a platform takes: `cargo bench` prints the median and the best of many runs.

use stateward::config::Config;
use stateward::engine::{Request, analyse, built_in};
use stateward::source::disk;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

const RUNS: usize = 50;

fn main() {
    let begun = Instant::now();
    let cards = built_in().expect("the built-in cards are sound");
    println!("{:<32} {:>12.1?}", "loading the cards", begun.elapsed());
    for platform in ["clean", "violating"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/platform").join(platform);
        let request = Request { today: "2026-01-01".to_owned(), ..Request::default() };
        let mut times: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let begun = Instant::now();
                let tree = disk::tree(&root).expect("the fixtures can be listed");
                black_box(
                    analyse(&tree, &cards, Config::default(), &request).expect("the default configuration is sound"),
                );
                begun.elapsed()
            })
            .collect();
        times.sort();
        println!(
            "{:<32} {:>12.1?} (best {:.1?}, {RUNS} runs)",
            format!("judging {platform}"),
            times[RUNS / 2],
            times[0]
        );
    }
}
