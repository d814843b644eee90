internal import Synchronization

/// An object that is made when it is first asked for, by any thread, and held from then on.
///
/// As the library's `AtomicLazyReference`, whose look-up is a call that counts references; this one is a load.
final class LazyReference<Object: AnyObject & Sendable>: Sendable {
    private let address = Atomic<UInt>(0)

    /// The object, which lives as long as this reference; `make` may be called by several threads, one result is kept.
    @inline(__always)
    func value(_ make: () -> Object) -> Unmanaged<Object> {
        let known = self.address.load(ordering: .acquiring)
        if let pointer = UnsafeRawPointer(bitPattern: known) { return Unmanaged.fromOpaque(pointer) }
        return self.keep(make())
    }

    @inline(never)
    private func keep(_ object: Object) -> Unmanaged<Object> {
        let new = Unmanaged.passRetained(object)
        let (isFirst, known) = self.address.compareExchange(
            expected: 0,
            desired: UInt(bitPattern: new.toOpaque()),
            ordering: .acquiringAndReleasing
        )
        guard !isFirst, let pointer = UnsafeRawPointer(bitPattern: known) else { return new }
        new.release()
        return Unmanaged.fromOpaque(pointer)
    }

    deinit {
        if let pointer = UnsafeRawPointer(bitPattern: self.address.load(ordering: .acquiring)) {
            Unmanaged<Object>.fromOpaque(pointer).release()
        }
    }
}
