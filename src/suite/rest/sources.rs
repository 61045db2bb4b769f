//! Where items come from: the user's files, the questions that ship with the program, or the generator.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::files;
use super::filters::{Dropped, Filters};
use super::item::{Body, Item};
use super::rows::{self, Rows};
use super::schema::{self, Place};
use super::task::Task;
use crate::suite::SuiteError;
use crate::suite::soebench::{self, puzzles};

/// Questions that ship with the program, in the schemas of the published files.
const SHIPPED: [(Task, &str, &str); 3] = [
    (Task::Arc, "arc.jsonl", include_str!("../../../data/questions/arc.jsonl")),
    (Task::Mmlu, "mmlu.jsonl", include_str!("../../../data/questions/mmlu.jsonl")),
    (Task::GsmSymbolic, "gsm-symbolic.jsonl", include_str!("../../../data/questions/gsm-symbolic.jsonl")),
];

/// Generated items that stand beside the questions that ship with the program.
const SHIPPED_SOEBENCH: usize = 24;

/// Which items there are.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sources {
    files: BTreeMap<Task, Vec<PathBuf>>,
    generated: Option<soebench::Settings>,
    /// Whether the questions that ship with the program are read.
    shipped: bool,
}

impl Sources {
    /// The questions that ship with the program, and some of the generator's.
    pub fn shipped(settings: soebench::Settings, items: Option<usize>) -> Self {
        let settings = soebench::Settings { items: items.unwrap_or(SHIPPED_SOEBENCH), ..settings };
        Self { shipped: true, generated: Some(settings), ..Self::default() }
    }

    /// Generated items only.
    pub fn generated(settings: soebench::Settings) -> Self {
        Self { generated: Some(settings), ..Self::default() }
    }

    /// What the arguments `[TASK=]PATH` name; `soebench` stands for the generator.
    pub fn named(arguments: &[String], settings: soebench::Settings) -> Result<Self, SuiteError> {
        let mut sources = Self::default();
        for argument in arguments {
            let named = argument.split_once('=').map(|(name, path)| (Task::from_name(name), name, path));
            match named {
                _ if argument == soebench::NAME => sources.generated = Some(settings),
                Some((Some(Task::SoeBench), ..)) => {
                    let reason = format!("--data {argument}: its items are generated; give --data soebench");
                    return Err(SuiteError::Setting(reason));
                }
                Some((Some(task), _, path)) => sources.add(task, files::matching(path)?),
                Some((None, name, _)) if !name.contains(['/', '\\']) && !Path::new(argument).exists() => {
                    let reason = format!(
                        "--data {argument}: there is no task `{name}`; tasks: {}; without a task, the columns say which it is",
                        Task::ALL.map(Task::name).join(", ")
                    );
                    return Err(SuiteError::Setting(reason));
                }
                _ => {
                    for file in files::matching(argument)? {
                        sources.add(guessed(&file)?, vec![file]);
                    }
                }
            }
        }
        for files in sources.files.values_mut() {
            files.sort();
            files.dedup();
        }
        Ok(sources)
    }

    fn add(&mut self, task: Task, files: Vec<PathBuf>) {
        self.files.entry(task).or_default().extend(files);
    }

    /// Reads all items, task by task, and says what became of them.
    pub fn read(&self, filters: &Filters) -> Result<Vec<Tally>, SuiteError> {
        let mut tallies = Vec::new();
        for task in Task::ALL {
            let mut tally = Tally::new(task);
            if self.shipped {
                for (_, name, text) in SHIPPED.iter().filter(|(known, ..)| *known == task) {
                    tally.read(Path::new(name), rows::shipped(name, text)?, filters)?;
                }
            }
            for path in self.files.get(&task).into_iter().flatten() {
                tally.read(path, rows::open(path)?, filters)?;
            }
            if let Some(settings) = self.generated.filter(|_| task == Task::SoeBench) {
                tally.generate(&settings)?;
            }
            if tally.count > 0 {
                tallies.push(tally);
            }
        }
        Ok(tallies)
    }
}

fn guessed(path: &Path) -> Result<Task, SuiteError> {
    let columns = rows::open(path)?.columns;
    schema::guess(&columns).ok_or_else(|| SuiteError::File {
        path: path.into(),
        reason: format!("its columns ({}) are those of no task; expected {}", columns.join(", "), needed()),
    })
}

fn needed() -> String {
    let of_task = |task: &Task| format!("{} for {}", task.columns().join(", "), task.name());
    let tasks = Task::ALL.iter().filter(|task| !task.columns().is_empty());
    tasks.map(of_task).collect::<Vec<_>>().join("; ")
}

/// Items of one task, and what became of those that were read.
pub(super) struct Tally {
    pub task: Task,
    /// The items that are kept.
    pub items: Vec<Item>,
    /// Items read.
    pub count: usize,
    long: usize,
    latex: usize,
    /// Where each id stands.
    places: HashMap<String, (PathBuf, usize)>,
}

impl Tally {
    fn new(task: Task) -> Self {
        Self { task, items: Vec::new(), count: 0, long: 0, latex: 0, places: HashMap::new() }
    }

    fn read(&mut self, path: &Path, file: Rows, filters: &Filters) -> Result<(), SuiteError> {
        let lacking =
            self.task.columns().iter().find(|name| !file.columns.iter().any(|column| column == **name));
        if let Some(lacking) = lacking.filter(|_| !file.columns.is_empty()) {
            return Err(SuiteError::File {
                path: path.into(),
                reason: format!(
                    "it has no column `{lacking}`, which the task {} needs; its columns: {}",
                    self.task.name(),
                    file.columns.join(", ")
                ),
            });
        }
        for row in file.rows {
            let (row, fields) = row?;
            let item = schema::item(self.task, &fields, &Place { path, row, index: self.count })?;
            self.count += 1;
            if let Some((first, line)) = self.places.insert(item.id.clone(), (path.into(), row)) {
                return Err(SuiteError::Item {
                    path: path.into(),
                    row,
                    reason: format!(
                        "the item {:?} stands in {}, row {line} already; each item must be there once",
                        item.id,
                        first.display()
                    ),
                });
            }
            match filters.drops(&item.body.content()) {
                Some(Dropped::Long) => self.long += 1,
                Some(Dropped::Latex) => self.latex += 1,
                None => self.items.push(item),
            }
        }
        Ok(())
    }

    fn generate(&mut self, settings: &soebench::Settings) -> Result<(), SuiteError> {
        for puzzle in puzzles(settings)? {
            let asked = puzzle.equations.len() + 1;
            self.items.push(Item {
                id: format!("{}/{}", soebench::NAME, puzzle.id),
                task: Task::SoeBench,
                body: Body::Number { content: format!("{}\n{}", puzzle.equations, puzzle.question), asked },
                answer: Some(puzzle.answer.to_string()),
                fault: None,
            });
            self.count += 1;
        }
        Ok(())
    }

    /// What the user should know of the items.
    pub fn notes(&self, filters: &Filters) -> Vec<String> {
        let task = self.task.name();
        let reasons = [
            (self.long, format!("longer than {} characters", filters.max_characters)),
            (self.latex, "with LaTeX".into()),
        ];
        let reasons: Vec<String> = reasons
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, why)| format!("{} {why}", grouped(*count)))
            .collect();
        let dropped = match self.long + self.latex {
            0 => String::new(),
            dropped => format!(", {} dropped ({})", grouped(dropped), reasons.join(", ")),
        };
        let mut notes = vec![format!("{task}: {} read{dropped}", items(self.count))];
        let faults: Vec<&str> = self.items.iter().filter_map(|item| item.fault.as_deref()).collect();
        if let Some(first) = faults.first() {
            notes.push(format!("{task}: {} that cannot be asked; the first: {first}", items(faults.len())));
        }
        let undivided = self.items.iter().filter(|item| item.body.shown().is_empty()).count();
        if undivided > 0 {
            notes.push(format!(
                "{task}: {} of one sentence, without a presentation `mixed`",
                items(undivided)
            ));
        }
        notes
    }
}

/// So many items.
fn items(count: usize) -> String {
    format!("{} {}", grouped(count), if count == 1 { "item" } else { "items" })
}

/// A number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let from_end = |(index, digit): (usize, char)| {
        let comma = index > 0 && (digits.len() - index).is_multiple_of(3);
        comma.then_some(',').into_iter().chain([digit])
    };
    digits.char_indices().flat_map(from_end).collect()
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_parted() {
        assert_eq!([0, 999, 1000, 14042, 1234567].map(grouped), ["0", "999", "1,000", "14,042", "1,234,567"]);
    }
}
