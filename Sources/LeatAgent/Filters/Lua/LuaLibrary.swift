internal import Glibc
internal import LeatCore

/// The functions of the Lua library that is installed, found when a configuration asks for them.
///
/// Lua 5.3, 5.4 and LuaJIT differ in a few names (lua.org/manual/5.4, section 4.6); those are chosen here.
final class LuaLibrary {
    typealias State = OpaquePointer

    /// Files that are tried, in order.
    static let fileNames = ["libluajit-5.1.so.2", "liblua5.4.so.0", "liblua5.4.so.5.4", "liblua5.3.so.0"]

    let newState: @convention(c) () -> State?
    let openLibraries: @convention(c) (State) -> Void
    let close: @convention(c) (State) -> Void
    let load: @convention(c) (State, UnsafePointer<CChar>, Int, UnsafePointer<CChar>, UnsafePointer<CChar>?) -> Int32
    let getField: @convention(c) (State, Int32, UnsafePointer<CChar>) -> Int32
    let setField: @convention(c) (State, Int32, UnsafePointer<CChar>) -> Void
    let pushString: @convention(c) (State, UnsafePointer<CChar>?, Int) -> UnsafePointer<CChar>?
    let pushNumber: @convention(c) (State, Double) -> Void
    let pushInteger: @convention(c) (State, Int) -> Void
    let pushBoolean: @convention(c) (State, Int32) -> Void
    let pushNil: @convention(c) (State) -> Void
    let pushPointer: @convention(c) (State, UnsafeMutableRawPointer?) -> Void
    let createTable: @convention(c) (State, Int32, Int32) -> Void
    let rawSet: @convention(c) (State, Int32) -> Void
    let rawSetIndex: @convention(c) (State, Int32, Int) -> Void
    let type: @convention(c) (State, Int32) -> Int32
    let toString: @convention(c) (State, Int32, UnsafeMutablePointer<Int>?) -> UnsafePointer<CChar>?
    let toNumber: @convention(c) (State, Int32, UnsafeMutablePointer<Int32>?) -> Double
    let toBoolean: @convention(c) (State, Int32) -> Int32
    let next: @convention(c) (State, Int32) -> Int32
    let setTop: @convention(c) (State, Int32) -> Void
    let getTop: @convention(c) (State) -> Int32
    let checkStack: @convention(c) (State, Int32) -> Int32
    /// Only since Lua 5.3.
    let isInteger: (@convention(c) (State, Int32) -> Int32)?
    let toInteger: (@convention(c) (State, Int32, UnsafeMutablePointer<Int32>?) -> Int)?

    private typealias ProtectedCall = @convention(c) (State, Int32, Int32, Int32) -> Int32
    private typealias ProtectedCallWithContinuation =
        @convention(c) (State, Int32, Int32, Int32, Int, UnsafeMutableRawPointer?) -> Int32
    private typealias GetGlobal = @convention(c) (State, UnsafePointer<CChar>) -> Int32

    private let protectedCall: ProtectedCall?
    private let protectedCallWithContinuation: ProtectedCallWithContinuation?
    private let getGlobalFunction: GetGlobal?

    /// The first library that is there; `nil` when none is, or it lacks a function.
    static func open() -> LuaLibrary? {
        for name in Self.fileNames {
            if let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL), let library = LuaLibrary(handle) { return library }
        }
        return nil
    }

    private typealias Load =
        @convention(c) (State, UnsafePointer<CChar>, Int, UnsafePointer<CChar>, UnsafePointer<CChar>?) -> Int32
    private typealias PushString = @convention(c) (State, UnsafePointer<CChar>?, Int) -> UnsafePointer<CChar>?
    private typealias PushPointer = @convention(c) (State, UnsafeMutableRawPointer?) -> Void
    private typealias ToString = @convention(c) (State, Int32, UnsafeMutablePointer<Int>?) -> UnsafePointer<CChar>?
    private typealias ToNumber = @convention(c) (State, Int32, UnsafeMutablePointer<Int32>?) -> Double

    private init?(_ handle: UnsafeMutableRawPointer) {
        func symbol<Function>(_ name: String, _ type: Function.Type) -> Function? {
            // Sound: the type is that of the function in Lua's manual.
            dlsym(handle, name).map { unsafeBitCast($0, to: type) }
        }
        guard
            let newState = symbol("luaL_newstate", (@convention(c) () -> State?).self),
            let openLibraries = symbol("luaL_openlibs", (@convention(c) (State) -> Void).self),
            let close = symbol("lua_close", (@convention(c) (State) -> Void).self),
            let load = symbol("luaL_loadbufferx", Load.self),
            let getField = symbol("lua_getfield", (@convention(c) (State, Int32, UnsafePointer<CChar>) -> Int32).self),
            let setField = symbol("lua_setfield", (@convention(c) (State, Int32, UnsafePointer<CChar>) -> Void).self),
            let pushString = symbol("lua_pushlstring", PushString.self),
            let pushNumber = symbol("lua_pushnumber", (@convention(c) (State, Double) -> Void).self),
            let pushInteger = symbol("lua_pushinteger", (@convention(c) (State, Int) -> Void).self),
            let pushBoolean = symbol("lua_pushboolean", (@convention(c) (State, Int32) -> Void).self),
            let pushNil = symbol("lua_pushnil", (@convention(c) (State) -> Void).self),
            let pushPointer = symbol("lua_pushlightuserdata", PushPointer.self),
            let createTable = symbol("lua_createtable", (@convention(c) (State, Int32, Int32) -> Void).self),
            let rawSet = symbol("lua_rawset", (@convention(c) (State, Int32) -> Void).self),
            let rawSetIndex = symbol("lua_rawseti", (@convention(c) (State, Int32, Int) -> Void).self),
            let type = symbol("lua_type", (@convention(c) (State, Int32) -> Int32).self),
            let toString = symbol("lua_tolstring", ToString.self),
            let toNumber = symbol("lua_tonumberx", ToNumber.self),
            let toBoolean = symbol("lua_toboolean", (@convention(c) (State, Int32) -> Int32).self),
            let next = symbol("lua_next", (@convention(c) (State, Int32) -> Int32).self),
            let setTop = symbol("lua_settop", (@convention(c) (State, Int32) -> Void).self),
            let getTop = symbol("lua_gettop", (@convention(c) (State) -> Int32).self),
            let checkStack = symbol("lua_checkstack", (@convention(c) (State, Int32) -> Int32).self)
        else { return nil }
        self.newState = newState
        self.openLibraries = openLibraries
        self.close = close
        self.load = load
        self.getField = getField
        self.setField = setField
        self.pushString = pushString
        self.pushNumber = pushNumber
        self.pushInteger = pushInteger
        self.pushBoolean = pushBoolean
        self.pushNil = pushNil
        self.pushPointer = pushPointer
        self.createTable = createTable
        self.rawSet = rawSet
        self.rawSetIndex = rawSetIndex
        self.type = type
        self.toString = toString
        self.toNumber = toNumber
        self.toBoolean = toBoolean
        self.next = next
        self.setTop = setTop
        self.getTop = getTop
        self.checkStack = checkStack
        self.isInteger = symbol("lua_isinteger", (@convention(c) (State, Int32) -> Int32).self)
        self.toInteger = symbol(
            "lua_tointegerx",
            (@convention(c) (State, Int32, UnsafeMutablePointer<Int32>?) -> Int).self
        )
        self.protectedCallWithContinuation = symbol("lua_pcallk", ProtectedCallWithContinuation.self)
        self.protectedCall = symbol("lua_pcall", ProtectedCall.self)
        self.getGlobalFunction = symbol("lua_getglobal", GetGlobal.self)
        if self.protectedCall == nil && self.protectedCallWithContinuation == nil { return nil }
    }

    /// Calls a function with its arguments on the stack; 0 when it did not fail.
    func call(_ state: State, argumentCount: Int32, resultCount: Int32) -> Int32 {
        if let call = self.protectedCallWithContinuation { return call(state, argumentCount, resultCount, 0, 0, nil) }
        return self.protectedCall?(state, argumentCount, resultCount, 0) ?? -1
    }

    /// Pushes a global variable.
    func getGlobal(_ state: State, _ name: String) {
        // In Lua 5.1 globals are the fields of a pseudo-index.
        if let get = self.getGlobalFunction { _ = get(state, name) } else { _ = self.getField(state, -10_002, name) }
    }

    /// Sets a global variable to a light pointer without contents.
    func setGlobalNull(_ state: State, _ name: String) {
        if self.getGlobalFunction == nil {
            self.pushPointer(state, nil)
            return self.setField(state, -10_002, name)
        }
        self.getGlobal(state, "_G")
        self.pushPointer(state, nil)
        self.setField(state, -2, name)
        self.setTop(state, -2)
    }
}
