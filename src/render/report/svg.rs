//! A picture in SVG, element by element.
//!
//! Own code, a hundred lines: a plot here is rectangles, lines and words, and what matters of it is what a plotting crate
//! does not do. plotters' SVG backend writes colours and sizes into each element, so that no style sheet can turn them for a
//! dark screen or for paper, and its pictures have no `role` and no `title`; charming draws by a script, in the browser, which
//! this page's policy forbids, or in an engine that would come along. Here:
//!
//! - **Every text and every value of an attribute is escaped**, and made printable first.
//! - **Elements have classes and no colours**: those are the page's.
//! - **A picture says what it shows**: `role="img"` with a title and a description, and most shapes a title of their own.

use std::fmt::{Display, Write};

use minijinja::HtmlEscape;

use crate::model::printable;

/// A picture that is being drawn. Its numbers are units of its view box; a page scales it.
pub(super) struct Svg {
    drawn: String,
}

/// Of an element: names are the program's own, values may be anyone's.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

impl Svg {
    /// `id` tells it from the other pictures of the page.
    pub(super) fn new(id: &'static str, width: f64, height: f64, title: &str, description: &str) -> Self {
        let mut svg = Self { drawn: String::new() };
        svg.open(
            "svg",
            &[
                ("xmlns", &"http://www.w3.org/2000/svg"),
                ("viewBox", &format_args!("0 0 {} {}", Number(width), Number(height))),
                ("role", &"img"),
                ("aria-labelledby", &format_args!("{id}-title {id}-description")),
            ],
        );
        svg.words("title", &[("id", &format_args!("{id}-title"))], title);
        svg.words("desc", &[("id", &format_args!("{id}-description"))], description);
        svg
    }

    /// An element that has a title: what it stands for, shown where one points at it.
    pub(super) fn shape(&mut self, name: &'static str, attributes: Attributes<'_>, title: &str) {
        self.open(name, attributes);
        if !title.is_empty() {
            self.words("title", &[], title);
        }
        self.close(name);
    }

    pub(super) fn rectangle(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64), title: &str) {
        let attributes: Attributes<'_> = &[
            ("class", &class),
            ("x", &Number(x)),
            ("y", &Number(y)),
            ("width", &Number(width.max(0.0))),
            ("height", &Number(height.max(0.0))),
        ];
        self.shape("rect", attributes, title);
    }

    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let attributes: Attributes<'_> = &[
            ("class", &class),
            ("x1", &Number(x1)),
            ("y1", &Number(y1)),
            ("x2", &Number(x2)),
            ("y2", &Number(y2)),
        ];
        self.shape("line", attributes, "");
    }

    pub(super) fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, title: &str) {
        let attributes: Attributes<'_> = &[
            ("class", &class),
            ("cx", &Number(x)),
            ("cy", &Number(y)),
            ("r", &Number(radius)),
        ];
        self.shape("circle", attributes, title);
    }

    /// A line through points.
    pub(super) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut path = String::new();
        for (x, y) in points {
            let _ = write!(path, "{},{} ", Number(*x), Number(*y));
        }
        self.shape("polyline", &[("class", &class), ("points", &path.trim_end())], "");
    }

    /// Words at a point, which is their `start`, `middle` or `end`.
    pub(super) fn text(&mut self, class: &str, anchor: &'static str, (x, y): (f64, f64), text: &str) {
        let attributes: Attributes<'_> = &[
            ("class", &class),
            ("text-anchor", &anchor),
            ("x", &Number(x)),
            ("y", &Number(y)),
        ];
        self.words("text", attributes, text);
    }

    pub(super) fn finish(mut self) -> String {
        self.close("svg");
        self.drawn
    }

    fn words(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.open(name, attributes);
        self.drawn.push_str(&escaped(text));
        self.close(name);
    }

    fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        // Nothing refuses to be written to a String.
        let _ = write!(self.drawn, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.drawn, " {attribute}=\"{}\"", escaped(&value.to_string()));
        }
        self.drawn.push('>');
    }

    fn close(&mut self, name: &'static str) {
        let _ = write!(self.drawn, "</{name}>");
    }
}

/// Text that is only text in HTML and in XML, whose parsers refuse the two non-characters.
pub(super) fn escaped(text: &str) -> String {
    HtmlEscape(&printable(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")).to_string()
}

/// A coordinate to a tenth of a unit; what is no number is zero, so that a slip spoils a shape and not the picture.
struct Number(f64);

impl Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = if self.0.is_finite() {
            (self.0 * 10.0).round() / 10.0
        } else {
            0.0
        };
        // Not -0.
        write!(f, "{}", number + 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_drawn_stays_inside_of_its_text_or_attribute() {
        let mut svg = Svg::new("p", 10.0, 5.25, "</title><script>", "\" onload=\"x");
        svg.rectangle("a\"b", (f64::NAN, -0.01), (-1.0, f64::INFINITY), "<b>&\u{202e}\u{ffff}");
        assert_eq!(
            svg.finish(),
            "<svg xmlns=\"http:&#x2f;&#x2f;www.w3.org&#x2f;2000&#x2f;svg\" viewBox=\"0 0 10 5.3\" role=\"img\" \
             aria-labelledby=\"p-title p-description\">\
             <title id=\"p-title\">&lt;&#x2f;title&gt;&lt;script&gt;</title>\
             <desc id=\"p-description\">&quot; onload=&quot;x</desc>\
             <rect class=\"a&quot;b\" x=\"0\" y=\"0\" width=\"0\" height=\"0\">\
             <title>&lt;b&gt;&amp;\u{fffd}\u{fffd}</title></rect></svg>"
        );
    }
}
