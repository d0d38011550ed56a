//! How a connector bears a broker that refuses it, is away, or does not answer: told once, tried again, nothing lost.
//!
//! The broker is a script ([`script`]) that says what RabbitMQ says; the folder and the command are real.

mod command;
mod connector;
mod script;
