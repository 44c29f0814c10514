//! The twenty questions of docs/history.md, as they stand there.

/// A question: its heading, its remark, its statement.
pub(crate) struct Question {
    pub(crate) title: String,
    pub(crate) remark: Option<String>,
    pub(crate) sql: String,
}

const DOCUMENT: &str = include_str!("../../docs/history.md");

/// Makes of a history that has just been made one with something to be found by each question.
pub(crate) const HISTORY: &str = include_str!("history.sql");

impl Question {
    pub(crate) fn all() -> Vec<Self> {
        let (_, questions) = DOCUMENT.split_once("\n## Twenty questions\n").unwrap();
        questions.split("\n### ").skip(1).map(Self::read).collect()
    }

    fn read(section: &str) -> Self {
        let (heading, rest) = section.split_once('\n').unwrap();
        let (_, title) = heading.split_once(". ").unwrap();
        let (remark, rest) = rest.split_once("```sql\n").unwrap();
        let (sql, rest) = rest.split_once("\n```").unwrap();
        assert_eq!(rest.trim(), "", "{title}: text after the statement");
        let remark = remark.trim();
        Self {
            title: title.to_owned(),
            remark: (!remark.is_empty()).then(|| remark.replace('\n', " ")),
            sql: sql.to_owned(),
        }
    }

    /// What datasette calls its page.
    pub(crate) fn slug(&self) -> String {
        let title = self.title.to_lowercase();
        let words = title
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("_")
    }
}
