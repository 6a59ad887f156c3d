//! What a terminal shows.

use super::super::text::{Glyphs, Look, written};
use super::*;
use crate::cli::show::Style;

const PLAIN: Look = Look { width: 80, glyphs: Glyphs::Unicode, style: Style::Plain };

#[test]
fn a_day_is_drawn_without_colours() {
    insta::assert_snapshot!(written(&rich(), PLAIN), @r"
    From Monday 2025-01-06 00:00 to Tuesday 2025-01-07 00:00, Europe/Berlin

                                            now 12:00
                        Mon 6 Jan   06:00        12:00          Tue 7 Jan
                        ┬───────────┬───────────┼┬───────────┬──────────┬
    asleep              ┊        zzzzzzz        │┊           ┊          ┊
    Refactor            ┊           ┊         ▶?│┊           ┊          ┊  -
    Poll the inbox      ▁▁▁▁▁▁▁▁▁▁○○○○○         │┊░ ──▒      ┊          ┊  in 30 min
    Backup              ┊           ████≈       │┊           ░░░░░      ┊  in 6 h
    Nightly tests       ┊   ✗✗      ┊           │┊           ┊          ┊  in 14 h
    Report              ┊           ┊       ─▄▄ │┊           ┊          ┊  paused
    atm_gone as it was  ┊ ▁         ┊           │┊           ┊          ┊  deleted

    ▆ 13 ran   ▶ running   ? 1 waits for you   ✗ 1 failed   ○ 6 missed
    ≈ 1 overlapped   ─ waited   ░ 2 will run   ▒ 1 will run late   × 1 will not run
    z the machine slept

    What needs a look
    ? Refactor waits for you since 11:30: May I push?
        sexton answer run_atm_refactor_1736157600000
    ○ Poll the inbox missed 6 times, last at 07:30: nobody was there to start it in…
        sexton why 'Poll the inbox' '2025-01-06 07:30+01:00'
    ✗ Nightly tests failed at 02:00: exit code 1
        sexton why 'Nightly tests' '2025-01-06 02:00+01:00'

    One automation has nothing in this time.
    ");
}

#[test]
fn the_same_is_drawn_where_there_is_only_ascii() {
    let text = written(&rich(), Look { width: 60, glyphs: Glyphs::Ascii, ..PLAIN });
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text, @r"
    From Monday 2025-01-06 00:00 to Tuesday 2025-01-07 00:00,
    Europe/Berlin

                                now 12:00
                     Mon 6 Jan       12:00  Tue 7 Jan
                     +--------------++--------------+
    asleep           :    zzzzz     |:              :
    Refactor         :            >?|:              :  -
    Poll the inbox   ######oooo     |+ -~           :  in 30 min
    Backup           :      ###%    |:       ++++   :  in 6 h
    Nightly tests    : XX           |:              :  in 14 h
    Report           :           -##|:              :  paused
    atm_gone as it~  :#             |:              :  deleted

    # 13 ran   > running   ? 1 waits for you   X 1 failed
    o 6 missed   % 1 overlapped   - waited   + 2 will run
    ~ 1 will run late   x 1 will not run   z the machine slept

    What needs a look
    ? Refactor waits for you since 11:30: May I push?
        sexton answer run_atm_refactor_1736157600000
    o Poll the inbox missed 6 times, last at 07:30: nobody was~
        sexton why 'Poll the inbox' '2025-01-06 07:30+01:00'
    X Nightly tests failed at 02:00: exit code 1
        sexton why 'Nightly tests' '2025-01-06 02:00+01:00'

    One automation has nothing in this time.
    ");
}

#[test]
fn no_line_is_wider_than_it_may_be_and_colours_change_nothing_else() {
    use unicode_width::UnicodeWidthStr;
    let mut known = noon();
    known.automations =
        vec![automation("a", "日本語のとても長いタイトルのテスト、とても長い", Some("2025-02-01"))];
    known.runs = vec![ran("a", "09:00", "09:30"), failed("a", "08:00", "08:30")];
    for timeline in [rich(), Timeline::of(known)] {
        for width in 40..=250 {
            let plain = written(&timeline, Look { width, ..PLAIN });
            for line in plain.lines().filter(|line| !line.trim_start().starts_with("sexton ")) {
                assert!(line.width() <= width, "{width}: {line}");
            }
            let coloured = written(&timeline, Look { width, style: Style::Terminal, ..PLAIN });
            let mut bare = String::new();
            for (place, part) in coloured.split('\u{1b}').enumerate() {
                bare.push_str(if place == 0 { part } else { part.split_once('m').unwrap().1 });
            }
            assert_eq!(bare, plain, "{width}");
        }
    }
}

#[test]
fn the_axis_follows_the_clocks_when_they_change() {
    let mut known = noon();
    known.from = at("2025-03-29 22:00");
    known.to = at("2025-03-30 08:00");
    known.now = at("2025-03-30 09:00");
    known.runs = vec![ran("a", "2025-03-30 01:30", "2025-03-30 03:30")];
    insta::assert_snapshot!(written(&Timeline::of(known.clone()), PLAIN), @r"
    From Saturday 2025-03-29 22:00 to Sunday 2025-03-30 08:00, Europe/Berlin

                 22:00       Sun 30 Mar          04:00        06:00
                 ┬───────────┬───────────────────┬────────────┬───────────┬
    a as it was  ┊           ┊         ▄██████   ┊            ┊           ┊  deleted

    ▆ 1 ran
    ");
    known.from = at("2025-10-25 22:00");
    known.to = at("2025-10-26 08:00");
    known.now = at("2025-10-25 12:00");
    known.runs = vec![];
    known.fires = vec![fire("a", "2025-10-26 02:30", Verdict::Ran, Some("2025-10-26 02:30"))];
    insta::assert_snapshot!(written(&Timeline::of(known), PLAIN), @r"
    From Saturday 2025-10-25 22:00 to Sunday 2025-10-26 08:00, Europe/Berlin

            22:00       Sun 26 Oct   02:00             04:00        06:00
            ┬───────────┬────────────┬─────────────────┬────────────┬───────────┬
    a       ┊           ┊            ┊  ░              ┊            ┊           ┊  -

    ░ 1 will run
    ");
}

#[test]
fn a_time_of_nothing_is_said_to_be_that() {
    insta::assert_snapshot!(written(&Timeline::of(noon()), PLAIN), @r"
    From Monday 2025-01-06 00:00 to Tuesday 2025-01-07 00:00, Europe/Berlin

    Nothing has run in this time, and nothing is due.
    ");
}

#[test]
fn on_a_narrow_terminal_there_is_room_for_what_is_drawn() {
    insta::assert_snapshot!(written(&rich(), Look { width: 40, ..PLAIN }), @r"
    From Monday 2025-01-06 00:00 to Tuesday
    2025-01-07 00:00, Europe/Berlin

                          now 12:00
                  Mon 6 Jan        Tue 7 Jan
                  ┬───────────┼┬───────────┬
    asleep        ┊   zzzz    │┊           ┊
    Refactor      ┊          ?│┊           ┊
    Poll the in…  ▁▁▁▁▁○○○    │░─▒         ┊
    Backup        ┊     ██≈   │┊     ░░░░  ┊
    Nightly tes…  ┊ ✗         │┊           ┊
    Report        ┊         ▂▂│┊           ┊
    atm_gone as…  ┊▁          │┊           ┊

    ▆ 13 ran   ▶ running   ? 1 waits for you
    ✗ 1 failed   ○ 6 missed   ≈ 1 overlapped
    ─ waited   ░ 2 will run
    ▒ 1 will run late   × 1 will not run
    z the machine slept

    What needs a look
    ? Refactor waits for you since 11:30: M…
        sexton answer run_atm_refactor_1736157600000
    ○ Poll the inbox missed 6 times, last a…
        sexton why 'Poll the inbox' '2025-01-06 07:30+01:00'
    ✗ Nightly tests failed at 02:00: exit c…
        sexton why 'Nightly tests' '2025-01-06 02:00+01:00'

    One automation has nothing in this time.
    ");
}

#[test]
fn a_command_means_the_same_by_other_clocks_and_from_elsewhere() {
    let known = Known {
        automations: vec![automation("atm_a", "A", None)],
        runs: vec![failed("atm_a", "02:00:30", "02:10")],
        chosen: " --project 'over there'".to_owned(),
        ..noon()
    };
    let text = written(&Timeline::of(known), PLAIN);
    let command = text.lines().find_map(|line| line.trim().strip_prefix("sexton why 'A' '")).unwrap();
    let (time, rest) = command.split_once('\'').unwrap();
    assert_eq!((time, rest), ("2025-01-06 02:00:30+01:00", " --project 'over there'"));
    for zone in ["America/New_York", "Asia/Kolkata"] {
        assert_eq!(read_time(time, &Zone::named(zone).unwrap(), at("12:00")), Ok(at("02:00:30")), "{zone}");
    }
}

#[test]
fn what_is_foretold_while_no_window_is_open_is_said_to_wait_for_one() {
    let mut known = noon();
    known.automations = vec![automation("a", "A", Some("11:59:36"))];
    known.fires = vec![fire("a", "15:00", Verdict::Ran, Some("15:00"))];
    let told = "No window is open: nothing of what is to come runs until one is.";
    assert!(!written(&Timeline::of(known.clone()), PLAIN).contains(told));
    known.windows = 0;
    let text = written(&Timeline::of(known.clone()), PLAIN);
    assert!(text.contains(told), "{text}");
    assert!(text.contains("  overdue\n") && !text.contains(" ago"), "{text}");
    let page = super::super::page::page(&Timeline::of(known), "meadow");
    assert!(page.contains(&format!("<p class=\"notice\">{told}</p>")), "{page}");
    assert!(
        page.contains("<small>overdue since 11:59:36</small>") && page.contains("<dt>Overdue since</dt>")
    );
    let nothing = Known { windows: 0, ..noon() };
    assert!(!written(&Timeline::of(nothing), PLAIN).contains(told));
}

#[test]
fn a_run_that_makes_up_for_missed_times_tells_of_them() {
    let mut caught_up = ran("a", "09:00", "09:30");
    caught_up.slots = Some(Slots { from: at("06:00"), to: at("09:00"), count: 4 });
    let timeline = Timeline::of(Known { runs: vec![caught_up, ran("a", "10:00", "10:30")], ..noon() });
    let text = written(&timeline, PLAIN);
    assert!(text.contains("2 ran (also for 3 missed)"), "{text}");
    let page = super::super::page::page(&timeline, "meadow");
    assert!(page.contains("09:30 (30 min)&#10;also for 3 missed&#10;"), "{page}");
    assert!(page.contains("ran twice, also for 3 missed") || page.contains("ran 2 times, also for 3 missed"));
}
