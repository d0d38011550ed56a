//! Whether the gateway can do its work, part by part, with reasons.
//!
//! `app` registers one question a part; `/ready` asks them all. Answers are made when asked, so that none is stale.

use std::sync::{PoisonError, RwLock};

/// What one part says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It does its work.
    Ready,
    /// It does not, and why. For operators: no content, no secrets.
    NotReady(String),
}

type Question = Box<dyn Fn() -> Probe + Send + Sync>;

/// The questions, in the order in which they were registered.
#[derive(Default)]
pub struct Readiness {
    questions: RwLock<Vec<(&'static str, Question)>>,
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ask()).finish()
    }
}

impl Readiness {
    /// Without questions: ready.
    pub fn new() -> Readiness {
        Readiness::default()
    }

    /// Registers a question. It is asked at each request and must answer at once, without waiting.
    pub fn register(&self, part: &'static str, question: impl Fn() -> Probe + Send + Sync + 'static) {
        let mut questions = self.questions.write().unwrap_or_else(PoisonError::into_inner);
        questions.push((part, Box::new(question)));
    }

    /// What every part says now.
    pub fn ask(&self) -> Vec<(&'static str, Probe)> {
        let questions = self.questions.read().unwrap_or_else(PoisonError::into_inner);
        questions
            .iter()
            .map(|(part, question)| (*part, question()))
            .collect()
    }
}
