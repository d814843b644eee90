extension ServerConnection {
    /// Sends an answer once all that `sink` accepted so far is on stable storage.
    func send(_ answer: [UInt8], whenDurableIn sink: any InputSink, closes: Bool = false) {
        self.pendingAnswerCount += 1
        sink.whenDurable { [weak self] in
            guard let self else { return }
            self.send(answer)
            if closes { self.closeWhenSent() }
            self.pendingAnswerCount -= 1
        }
    }
}
