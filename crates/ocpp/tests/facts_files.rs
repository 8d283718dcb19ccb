//! The reader of `.facts` files, which `build.rs` uses: what it makes of them, and how it complains.
#![allow(
    dead_code,
    reason = "the build script's code, of which each test uses a part"
)]

#[path = "../build/facts.rs"]
mod facts;
#[path = "../build/people.rs"]
mod people;

use facts::Kind;

const SMALL: &str = "\
# A comment.
version 1.6

choice Colour
  Red
  Green-ish   # and another

open object Lamp
  colour!   choice Colour
  name      text 20
  rates     list 1.. number 0.. step 0.1
  at        datetime

action Shine
  request  Lamp
  answer   Lamp
";

#[test]
fn a_small_file_is_read() {
    let edition = facts::read("small.facts", SMALL).unwrap();
    assert_eq!(edition.version, "1.6");
    assert_eq!(edition.choices[0].values, ["Red", "Green-ish"]);
    let lamp = &edition.objects[0];
    assert!(lamp.open && lamp.fields[0].required && !lamp.fields[1].required);
    let rate = Kind::Number {
        min: Some(0.0),
        max: None,
        decimals: Some(1),
    };
    let rates = Kind::List {
        min: 1,
        max: None,
        of: Box::new(rate),
    };
    assert_eq!(lamp.fields[2].kind, rates);
    assert_eq!(edition.actions[0].answer.as_deref(), Some("Lamp"));
}

#[test]
fn a_wrong_file_is_told_by_file_line_and_remedy() {
    for (text, complaint) in [
        (
            "version 3",
            "f:1: version `3` is none we read; write `version 1.6`",
        ),
        (
            "version 1.6\nthing X",
            "f:2: no block starts with `thing X`",
        ),
        (
            "version 1.6\n  stray",
            "f:2: a line that belongs to no block",
        ),
        (
            "version 1.6\nobject A\n  x txt 5",
            "f:3: `txt 5` is no kind",
        ),
        (
            "version 1.6\nobject A\n  x text five",
            "f:3: `text five` is no kind",
        ),
        (
            "version 1.6\nobject A\n  x object B",
            "f:3: no object is called `B`; define it",
        ),
        (
            "version 1.6\nobject A\n  x list 0.. choice C",
            "f:3: no choice is called `C`",
        ),
        (
            "version 1.6\nobject A\nobject A",
            "f:3: object A stands on line 2 as well",
        ),
        (
            "version 1.6\naction A\n  reply B",
            "f:3: an action has no `reply B`",
        ),
        (
            "version 1.6\naction A\n  request B",
            "f:2: no object is called `B`",
        ),
    ] {
        let trouble = facts::read("f", text).unwrap_err().to_string();
        assert!(trouble.starts_with(complaint), "{trouble}");
        assert!(trouble.contains("; "), "{trouble} names no remedy");
    }
}

#[test]
fn each_action_has_one_sender() {
    let editions = [facts::read("f", SMALL).unwrap()];
    assert_eq!(
        people::senders("csms Shine", &editions).unwrap()["Shine"],
        "Csms"
    );
    for (text, complaint) in [
        ("", ":1: nothing says who sends Shine"),
        ("moon Shine", ":1: `moon` sends nothing"),
        ("station Glow", ":1: no version knows the action Glow"),
        (
            "station Shine\n\ncsms Shine",
            ":3: Shine has a sender already",
        ),
    ] {
        let trouble = people::senders(text, &editions).unwrap_err().to_string();
        assert!(trouble.contains(complaint), "{trouble}");
    }
}

#[test]
fn the_most_specific_pattern_gives_the_meaning() {
    let editions = [facts::read("f", SMALL).unwrap()];
    let known = ["Plain", "FreeText", "Person", "Maker"].map(str::to_owned);
    let meaning = |text: &str| {
        let key = ("1.6".to_owned(), "Lamp".to_owned(), "name".to_owned());
        people::meanings(text, &known, &editions).map(|meanings| meanings[&key].clone())
    };
    assert_eq!(meaning("plain *.name").unwrap(), "Plain");
    assert_eq!(
        meaning("plain *.name\nfree-text Lamp.name").unwrap(),
        "FreeText"
    );
    let three = "maker 1.6:Lamp.name\nplain *.name\nfree-text Lamp.name";
    assert_eq!(meaning(three).unwrap(), "Maker");
    for (text, complaint) in [
        (
            "",
            "f:10: nothing says what Lamp.name means; add `MEANING Lamp.name`",
        ),
        (
            "plain *.name\nplain *.noise",
            ":2: `*.noise` matches no field",
        ),
        (
            "plain *.name\nperson *.name",
            ":2: `*.name` stands on line 1 as well",
        ),
        ("plane *.name", ":1: `plane` is no meaning"),
        ("plain name", ":1: `name` is no pattern"),
    ] {
        let trouble = meaning(text).unwrap_err().to_string();
        assert!(trouble.contains(complaint), "{trouble}");
    }
}

#[test]
fn the_meanings_are_read_from_their_source() {
    let variants = people::variants(include_str!("../src/meaning.rs"));
    assert!(variants.contains(&"Plain".to_owned()));
    assert!(variants.contains(&"ReadingContext".to_owned()));
    assert!(variants.len() > 30);
}
