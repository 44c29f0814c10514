//! Which columns of a table are shown, and how wide each is. Pure: the terminal's width is an argument.
//!
//! Where all of a table fits, all of it is shown. Where it does not, tokens are cut to what `show` takes, long names are cut
//! in their middle and texts are folded; and where that is not enough, columns yield, in the order that they declare: a text
//! goes below its row, and anything else is left out, names and what tells as much as a name only once names are cut short.
//! Where no column can yield any more, or in fewer than [`NARROWEST`] columns, there is no sensible table.

use ratatui::style::Style;
use ratatui::text::Span;

/// The fewest columns of a terminal in which a table that does not fit is still a table.
const NARROWEST: usize = 50;
/// Between two columns.
pub(super) const SPACE: u16 = 2;
/// Enough of a request token to be told apart by.
pub(super) const SHORT_TOKEN: usize = 8;
/// The fewest cells in which a bar tells anything.
pub(super) const LEAST_BAR: usize = 10;
/// So much of a name is easy to read, and so much is still something.
const NAME: usize = 20;
const LEAST_NAME: usize = 7;
const LEAST_TEXT: usize = 30;
/// Beyond that a word is broken: `(GeneralServiceException)`, the longest that is ours to expect, is not.
const LONGEST_WORD: usize = 25;

/// A column, as its table declares it.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Column<'a> {
    pub(super) heading: &'a str,
    pub(super) shape: Shape,
    pub(super) is_right: bool,
    yields: Option<Yields>,
}

/// In which order a column yields, the lowest number first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Yields {
    BeforeNamesAreCut(u8),
    Late(u8),
}

/// What may be done to what stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Whole,
    Token,
    Name,
    Words,
    Text,
    Bar,
}

impl<'a> Column<'a> {
    /// What means nothing unless it is whole: numbers, times.
    pub(in crate::cli) const fn whole(heading: &'a str) -> Self {
        Self {
            heading,
            shape: Shape::Whole,
            is_right: false,
            yields: None,
        }
    }

    /// A request token, of which the beginning is enough.
    pub(in crate::cli) const fn token(heading: &'a str) -> Self {
        Self::whole(heading).shaped(Shape::Token)
    }

    /// A name, of which the beginning and the end are enough.
    pub(in crate::cli) const fn name(heading: &'a str) -> Self {
        Self::whole(heading).shaped(Shape::Name)
    }

    /// A few words, which are folded between them, and a name among them between its parts.
    pub(in crate::cli) const fn words(heading: &'a str) -> Self {
        Self::whole(heading).shaped(Shape::Words)
    }

    /// Whole sentences, which are folded.
    pub(in crate::cli) const fn text(heading: &'a str) -> Self {
        Self::whole(heading).shaped(Shape::Text)
    }

    /// A bar, which whoever draws it draws as long as there is room: see [`Table::room`](super::Table::room).
    pub(in crate::cli) const fn bar(heading: &'a str) -> Self {
        Self::whole(heading).shaped(Shape::Bar)
    }

    /// It yields where there is no room; the lowest number is the first to. A name yields late.
    pub(in crate::cli) const fn yields(self, order: u8) -> Self {
        let yields = match self.shape {
            Shape::Name => Yields::Late(order),
            _ => Yields::BeforeNamesAreCut(order),
        };
        Self {
            yields: Some(yields),
            ..self
        }
    }

    /// The same, but only once names are cut short.
    pub(in crate::cli) const fn yields_late(self, order: u8) -> Self {
        Self {
            yields: Some(Yields::Late(order)),
            ..self
        }
    }

    /// Stands at its right edge, as numbers do.
    pub(in crate::cli) const fn right(self) -> Self {
        Self { is_right: true, ..self }
    }

    const fn shaped(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    fn least(&self, needs: Needs, name: usize) -> usize {
        let least = match self.shape {
            Shape::Whole => return needs.all,
            Shape::Token => SHORT_TOKEN,
            Shape::Name => name,
            Shape::Words => needs.word.min(LONGEST_WORD),
            Shape::Text => LEAST_TEXT,
            Shape::Bar => LEAST_BAR,
        };
        least.max(width(self.heading)).min(needs.all)
    }
}

/// How wide what stands in a column is, its heading included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) all: usize,
    /// The longest word of it.
    word: usize,
}

impl Needs {
    pub(super) fn of(text: &str) -> Self {
        Self {
            all: width(text),
            word: text.split(' ').map(width).max().unwrap_or_default(),
        }
    }

    pub(super) fn exactly(width: usize) -> Self {
        Self {
            all: width,
            word: width,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            all: self.all.max(other.all),
            word: self.word.max(other.word),
        }
    }
}

/// How a table is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// By their numbers, the columns that stand beside each other, each with its width; and the texts below a row.
    Columns {
        beside: Vec<(usize, usize)>,
        below: Vec<usize>,
    },
    /// Each row as lines of a heading and its value.
    Blocks,
}

impl Layout {
    /// Whether the column with this number has room.
    pub(super) fn shows(&self, column: usize) -> bool {
        match self {
            Self::Columns { beside, below } => {
                beside.iter().any(|(number, _)| *number == column) || below.contains(&column)
            }
            Self::Blocks => true,
        }
    }
}

/// Lays columns out in a terminal of so many columns; elsewhere (`None`) there is room for all.
pub(super) fn arrange(columns: &[Column<'_>], needs: &[Needs], room: Option<usize>) -> Layout {
    let all: Vec<(usize, usize)> = needs.iter().map(|needs| needs.all).enumerate().collect();
    let Some(room) = room.filter(|room| total(&all) > *room) else {
        return Layout::Columns {
            beside: all,
            below: Vec::new(),
        };
    };
    if room < NARROWEST {
        return Layout::Blocks;
    }
    let least = |name: usize| -> Vec<(usize, usize)> {
        let least = columns
            .iter()
            .zip(needs)
            .map(|(column, needs)| column.least(*needs, name));
        least.enumerate().collect()
    };
    let (easy, tight) = (least(NAME), least(LEAST_NAME));
    let of = |widths: &[(usize, usize)], shown: &[usize]| -> Vec<(usize, usize)> {
        let shown = widths.iter().filter(|(number, _)| shown.contains(number));
        shown.copied().collect()
    };
    let fit = |widths: &[(usize, usize)], shown: &[usize]| total(&of(widths, shown)) <= room;
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let (early, late) = yielding(columns);
    let (mut below, mut early_left_out, mut late_left_out) = (Vec::new(), Vec::new(), Vec::new());
    for number in early {
        if fit(&easy, &shown) {
            break;
        }
        shown.retain(|other| *other != number);
        if columns.get(number).is_some_and(|column| column.shape == Shape::Text) {
            below.push(number);
        } else {
            early_left_out.push(number);
        }
    }
    let least = if fit(&easy, &shown) { &easy } else { &tight };
    for number in late {
        if fit(least, &shown) {
            break;
        }
        shown.retain(|other| *other != number);
        late_left_out.push(number);
    }
    if !fit(least, &shown) {
        return Layout::Blocks;
    }
    // Where a wide one had to go, a narrow one that went before it may have room after all.
    for (left_out, widths) in [(late_left_out, least), (early_left_out, &easy)] {
        for number in left_out.into_iter().rev() {
            let mut with = shown.clone();
            with.push(number);
            if fit(widths, &with) {
                shown = with;
            }
        }
    }
    below.sort_unstable();
    let mut beside = of(least, &shown);
    grow(&mut beside, columns, needs, room);
    Layout::Columns { beside, below }
}

/// The numbers of the columns that yield, the first to do so first: before names are cut, and late.
fn yielding(columns: &[Column<'_>]) -> (Vec<usize>, Vec<usize>) {
    let yielding = columns.iter().enumerate();
    let mut yielding: Vec<_> = yielding
        .filter_map(|(number, column)| Some((column.yields?, number)))
        .collect();
    yielding.sort_unstable();
    let is_early = |yields: &Yields| matches!(yields, Yields::BeforeNamesAreCut(_));
    let (early, late): (Vec<_>, Vec<_>) = yielding.into_iter().partition(|(yields, _)| is_early(yields));
    let numbers = |columns: Vec<(Yields, usize)>| columns.into_iter().map(|(_, number)| number).collect();
    (numbers(early), numbers(late))
}

/// Shares out what is left of the room, to the narrowest first of those that have a use for it. Beside a bar names and words
/// come first: it is as good in less room.
fn grow(beside: &mut [(usize, usize)], columns: &[Column<'_>], needs: &[Needs], room: usize) {
    let shape = |number: usize| columns.get(number).map(|column| column.shape);
    if beside.iter().any(|(number, _)| shape(*number) == Some(Shape::Bar)) {
        grow_those(beside, needs, room, |number| {
            !matches!(shape(number), Some(Shape::Token | Shape::Bar | Shape::Text))
        });
    }
    grow_those(beside, needs, room, |number| shape(number) != Some(Shape::Token));
}

fn grow_those(beside: &mut [(usize, usize)], needs: &[Needs], room: usize, is_such: impl Fn(usize) -> bool) {
    for _ in total(beside)..room {
        let has_use =
            |number: usize, width: usize| is_such(number) && needs.get(number).is_some_and(|needs| width < needs.all);
        let growing = beside.iter_mut().filter(|(number, width)| has_use(*number, *width));
        match growing.min_by_key(|(_, width)| *width) {
            Some((_, width)) => *width += 1,
            None => break,
        }
    }
}

fn total(columns: &[(usize, usize)]) -> usize {
    let space = usize::from(SPACE);
    let with_space = |all: usize, (_, width): &(usize, usize)| all.saturating_add(width + space);
    columns.iter().fold(0, with_space).saturating_sub(space)
}

/// The columns of a terminal that a text takes.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// What is shown of a text in a column of such a shape and width. What is folded stays whole; where blanks alone are no places
/// for that, its lines are made here.
pub(super) fn cut(text: &str, shape: Shape, room: usize) -> Option<String> {
    if width(text) <= room {
        return None;
    }
    match shape {
        Shape::Token => Some(within(graphemes(text).iter(), room).concat()),
        Shape::Name => {
            let graphemes = graphemes(text);
            // Names of a kind begin alike: the end tells more.
            let front = within(graphemes.iter(), room.saturating_sub(1) / 3).concat();
            let left = room.saturating_sub(1 + width(&front));
            let mut end = within(graphemes.iter().rev(), left);
            end.reverse();
            Some(format!("{front}…{}", end.concat()))
        }
        Shape::Words => folded(text, room),
        Shape::Whole | Shape::Text | Shape::Bar => None,
    }
}

/// Words with a name among them that is too long for a line: lines that end between words and after a `::`.
fn folded(text: &str, room: usize) -> Option<String> {
    let is_too_long = |word: &str| width(word) > room && word.contains("::");
    if !text.split(' ').any(is_too_long) {
        return None;
    }
    let mut lines = vec![String::new()];
    for (place, word) in text.split(' ').enumerate() {
        for (part_place, part) in word.split_inclusive("::").enumerate() {
            let space = if place > 0 && part_place == 0 { " " } else { "" };
            match lines.last_mut() {
                Some(line) if line.is_empty() || width(line) + space.len() + width(part) <= room => {
                    line.push_str(space);
                    line.push_str(part);
                }
                _ => lines.push(part.to_owned()),
            }
        }
    }
    Some(lines.join("\n"))
}

/// A name in so many columns, of which the beginning and the end are enough.
pub(in crate::cli) fn shortened(name: &str, room: usize) -> String {
    cut(name, Shape::Name, room).unwrap_or_else(|| name.to_owned())
}

/// What people take for characters. A text is as wide as these are together at the most, and not as its code points are: a
/// variation selector makes the one before it wider.
fn graphemes(text: &str) -> Vec<String> {
    let span = Span::raw(text);
    let graphemes = span.styled_graphemes(Style::new());
    graphemes.map(|grapheme| grapheme.symbol.to_owned()).collect()
}

fn within<'a>(graphemes: impl Iterator<Item = &'a String>, room: usize) -> Vec<&'a str> {
    let mut left = room;
    graphemes
        .map(String::as_str)
        .take_while(|grapheme| {
            let width = width(grapheme);
            let fits = width <= left;
            left = left.saturating_sub(width);
            fits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'static>; 5] = [
        Column::whole("SEEN"),
        Column::whole("TARGET").yields(2),
        Column::name("NAME"),
        Column::token("TOKEN"),
        Column::text("MESSAGE").yields(1),
    ];

    fn arranged(room: Option<usize>) -> Layout {
        let needs = [7, 14, 40, 36, 200].map(Needs::exactly);
        arrange(&COLUMNS, &needs, room)
    }

    fn columns(beside: &[(usize, usize)], below: &[usize]) -> Layout {
        Layout::Columns {
            beside: beside.to_vec(),
            below: below.to_vec(),
        }
    }

    #[test]
    fn where_there_is_room_all_of_it_is_shown() {
        let all = columns(&[(0, 7), (1, 14), (2, 40), (3, 36), (4, 200)], &[]);
        assert_eq!(arranged(None), all);
        assert_eq!(arranged(Some(305)), all);
        assert_ne!(arranged(Some(304)), all);
    }

    #[test]
    fn what_can_be_cut_or_folded_is_before_anything_yields() {
        // The least of them is 7 + 14 + 20 + 8 + 30, and 8 between.
        let least = [(0, 7), (1, 14), (2, 20), (3, 8), (4, 30)];
        assert_eq!(arranged(Some(87)), columns(&least, &[]));
        // What is left over goes to the narrowest; a token is long enough.
        let shared = [(0, 7), (1, 14), (2, 32), (3, 8), (4, 31)];
        assert_eq!(arranged(Some(100)), columns(&shared, &[]));
    }

    #[test]
    fn a_text_yields_by_going_below_and_a_column_by_being_left_out() {
        let below = [(0, 7), (1, 14), (2, 35), (3, 8)];
        assert_eq!(arranged(Some(70)), columns(&below, &[4]));
        let without = [(0, 7), (2, 31), (3, 8)];
        assert_eq!(arranged(Some(50)), columns(&without, &[4]));
    }

    #[test]
    fn a_name_yields_only_once_names_are_cut_short() {
        let columns = [
            Column::whole("A"),
            Column::name("TYPE"),
            Column::name("IDENTIFIER").yields(1),
        ];
        let needs = [20, 40, 40].map(Needs::exactly);
        let beside = |room| match arrange(&columns, &needs, Some(room)) {
            Layout::Columns { beside, .. } => beside,
            Layout::Blocks => Vec::new(),
        };
        assert_eq!(beside(64), [(0, 20), (1, 20), (2, 20)]);
        assert_eq!(beside(54), [(0, 20), (1, 15), (2, 15)]);
        let needs = [30, 40, 40].map(Needs::exactly);
        let Layout::Columns { beside, .. } = arrange(&columns, &needs, Some(50)) else {
            panic!("a table");
        };
        assert_eq!(beside, [(0, 30), (1, 18)]);
    }

    #[test]
    fn one_that_yielded_comes_back_where_another_left_it_room() {
        let columns = [
            Column::whole("A"),
            Column::whole("B").yields(1),
            Column::whole("C").yields(2),
        ];
        let needs = [30, 10, 60].map(Needs::exactly);
        let Layout::Columns { beside, .. } = arrange(&columns, &needs, Some(50)) else {
            panic!("a table");
        };
        assert_eq!(beside, [(0, 30), (1, 10)]);
    }

    #[test]
    fn what_yields_late_outlasts_what_is_narrower() {
        let columns = [
            Column::whole("HOOKS").yields(1),
            Column::whole("OP").yields_late(2),
            Column::name("IDENTIFIER").yields(1),
            Column::whole("TOKEN"),
        ];
        let needs = [5, 6, 40, 30].map(Needs::exactly);
        let beside = |room| match arrange(&columns, &needs, Some(room)) {
            Layout::Columns { beside, .. } => beside.into_iter().map(|(number, _)| number).collect(),
            Layout::Blocks => Vec::new(),
        };
        assert_eq!(beside(67), [0, 1, 2, 3]);
        // The identifier is cut, and where that is no longer enough it makes room for both.
        assert_eq!(beside(66), [1, 2, 3]);
        assert_eq!(beside(50), [1, 2, 3]);
        let needs = [5, 6, 40, 36].map(Needs::exactly);
        let arranged = arrange(&columns, &needs, Some(50));
        assert_eq!(arranged, self::columns(&[(1, 6), (3, 36)], &[]));
        let needs = [5, 6, 40, 44].map(Needs::exactly);
        let arranged = arrange(&columns, &needs, Some(50));
        assert_eq!(arranged, self::columns(&[(3, 44)], &[]));
    }

    #[test]
    fn where_nothing_can_yield_any_more_there_is_no_table() {
        assert_eq!(arranged(Some(49)), Layout::Blocks);
        let needs = [60, 14, 12, 8, 200].map(Needs::exactly);
        assert_eq!(arrange(&COLUMNS, &needs, Some(60)), Layout::Blocks);
        // What fits is a table at any width.
        let one = [Column::whole("A")];
        let fits = columns(&[(0, 3)], &[]);
        assert_eq!(arrange(&one, &[Needs::exactly(3)], Some(3)), fits);
    }

    #[test]
    fn no_width_makes_a_table_wider_than_itself() {
        for room in 0..400 {
            if let Layout::Columns { beside, .. } = arranged(Some(room)) {
                assert!(total(&beside) <= room, "{room}: {beside:?}");
            }
        }
    }

    #[test]
    fn words_are_not_broken() {
        let columns = [Column::words("STATUS"), Column::text("WHAT")];
        let needs = [Needs::of("FAILED (GeneralServiceException)"), Needs::exactly(500)];
        let least = arrange(&columns, &needs, Some(57));
        assert_eq!(
            least,
            Layout::Columns {
                beside: vec![(0, 25), (1, 30)],
                below: Vec::new()
            }
        );
    }

    #[test]
    fn a_long_name_among_words_is_broken_between_its_parts() {
        let words = |text, room| cut(text, Shape::Words, room);
        let hook = "hook Acme::Guard::EncryptionAtRest (FAIL)";
        assert_eq!(words(hook, 41), None);
        assert_eq!(words(hook, 40), None, "between words is enough");
        assert_eq!(
            words(hook, 25).as_deref(),
            Some("hook Acme::Guard::\nEncryptionAtRest (FAIL)")
        );
        assert_eq!(
            words(hook, 16).as_deref(),
            Some("hook Acme::\nGuard::\nEncryptionAtRest\n(FAIL)")
        );
        assert_eq!(words("not looked at", 5), None);
        assert_eq!(words("FAILED (GeneralServiceException)", 20), None);
    }

    #[test]
    fn a_bar_takes_what_names_and_words_leave() {
        let columns = [
            Column::bar("BAR"),
            Column::words("WHAT"),
            Column::text("DETAIL").yields(1),
        ];
        let needs = [
            Needs::exactly(32),
            Needs::of("hook Acme::Guard::Encryption (WARN)"),
            Needs::exactly(90),
        ];
        let beside = |room| arrange(&columns, &needs, Some(room));
        assert_eq!(beside(69), self::columns(&[(0, 10), (1, 25), (2, 30)], &[]));
        assert_eq!(beside(79), self::columns(&[(0, 10), (1, 35), (2, 30)], &[]));
        assert_eq!(beside(99), self::columns(&[(0, 30), (1, 35), (2, 30)], &[]));
        assert_eq!(beside(60), self::columns(&[(0, 23), (1, 35)], &[2]));
    }

    #[test]
    fn a_name_keeps_both_its_ends_and_a_token_its_beginning() {
        let name = |text, room| cut(text, Shape::Name, room);
        assert_eq!(name("AWS::RDS::DBInstance", 20), None);
        assert_eq!(name("AWS::RDS::DBInstance", 13).as_deref(), Some("AWS:…Instance"));
        assert_eq!(name("測試測試測試", 8).as_deref(), Some("測…測試"));
        assert_eq!(name("abc", 1).as_deref(), Some("…"));
        let token = cut("73553e7d-6c1b-4f9e", Shape::Token, 8);
        assert_eq!(token.as_deref(), Some("73553e7d"));
        assert_eq!(cut("a text", Shape::Text, 2), None);
        for room in 1..12 {
            assert!(width(&name("a測b試c測d試e", room).unwrap()) <= room);
        }
    }

    #[test]
    fn what_people_take_for_a_character_is_not_cut_through() {
        for grapheme in [
            "☺\u{fe0f}",
            "👩\u{200d}👩\u{200d}👧",
            "e\u{301}",
            "🇩🇪",
            "क्षि",
            "1\u{fe0f}\u{20e3}",
        ] {
            let text = grapheme.repeat(20);
            for room in 1..width(&text) {
                for shape in [Shape::Name, Shape::Token] {
                    let cut = cut(&text, shape, room).unwrap();
                    assert!(width(&cut) <= room, "{cut} in {room}");
                    let left = cut.replace(grapheme, "");
                    assert!(left.is_empty() || left == "…", "{left:?} of {cut}");
                }
            }
        }
    }
}
