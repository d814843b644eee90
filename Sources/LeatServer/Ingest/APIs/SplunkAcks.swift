internal import LeatCore
internal import Synchronization

/// The acknowledgements of Splunk's event collector: per channel the numbers that were given out for durable requests.
///
/// A number is only given out once its events are durable, so that every number that we know is true. It is true once:
/// whoever has asked for it does not ask again. Numbers of an earlier run are false, and the sender sends again.
final class SplunkAcks: Sendable {
    private struct Channel {
        var next: UInt64 = 0
        var open: Set<UInt64> = []
    }

    private struct State {
        var channels: [String: Channel] = [:]
        /// The channels, the one that was made first in front.
        var order: [String] = []
    }

    private let state = Mutex(State())

    /// A number for events that have just become durable.
    func issue(_ channel: String) -> UInt64 {
        self.state.withLock { state in
            if state.channels[channel] == nil {
                state.order.append(channel)
                if state.order.count > ServerLimits.ackChannelCountMax {
                    state.channels[state.order.removeFirst()] = nil
                }
            }
            var known = state.channels[channel] ?? Channel()
            defer { state.channels[channel] = known }
            let number = known.next
            known.next += 1
            // Beyond the limit the number is not remembered: it will be false, and the events are sent again.
            if known.open.count < ServerLimits.openAckCountMax { known.open.insert(number) }
            return number
        }
    }

    /// Which of these numbers are acknowledged.
    func take(_ numbers: [UInt64], channel: String) -> [Bool] {
        self.state.withLock { state in
            numbers.map { state.channels[channel]?.open.remove($0) != nil }
        }
    }
}
