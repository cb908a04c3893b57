use genstage::prelude::*;
use genstage::{Error, ReplyTo};

/// Parses readings, one a line, and leaves out lines that are none.
#[stage(producer_consumer)]
#[derive(Default)]
pub struct Parse {
    rejected: u64,
}

impl ProducerConsumer for Parse {
    type Input = String;
    type Output = u64;

    async fn handle_events(&mut self, lines: &mut Batch<String>, cx: &mut Context<Self>) -> Result {
        for line in lines.drain() {
            if line.contains('\0') {
                return Err(Error::msg("not a text"));
            }
            match line.parse() {
                Ok(reading) => cx.emit(reading),
                Err(_) => self.rejected += 1,
            }
        }
        Ok(())
    }
}

/// Asks how many lines were left out.
pub struct Rejected;

impl Call<Rejected> for Parse {
    type Reply = u64;

    async fn handle_call(&mut self, _: Rejected, reply: ReplyTo<u64>, _: &mut Context<Self>) -> Result {
        reply.send(self.rejected);
        Ok(())
    }
}
