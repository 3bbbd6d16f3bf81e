import COneDNN

/// What all calls of oneDNN share.
enum OneDNN {
    /// The processor. Engines may be shared between threads.
    nonisolated(unsafe) static let engine: dnnl_engine_t = {
        var engine: dnnl_engine_t?
        check(dnnl_engine_create(&engine, dnnl_cpu, 0), "no engine for this processor")
        return engine!
    }()

    /// Traps on failures that no input can cause.
    static func check(_ status: dnnl_status_t, _ what: @autoclosure () -> String) {
        precondition(status == dnnl_success, "oneDNN: \(what()) (status \(status.rawValue))")
    }

    /// A tensor in memory: extents in oneDNN's order (samples, channels, spatial axes), and the layout;
    /// nil where the extents are beyond what oneDNN takes.
    static func layout(
        _ extents: [Int], _ type: dnnl_data_type_t, _ tag: dnnl_format_tag_t
    ) -> dnnl_memory_desc_t? {
        var result = dnnl_memory_desc_t()
        let status = dnnl_memory_desc_init_by_tag(
            &result, CInt(extents.count), extents.map(dnnl_dim_t.init), type, tag)
        return status == dnnl_success ? result : nil
    }

    static func byteCount(_ layout: dnnl_memory_desc_t) -> Int {
        var layout = layout
        return dnnl_memory_desc_get_size(&layout)
    }
}

/// A primitive made for given shapes: machine code that any thread may run, with memory of its own.
final class OneDNNPrimitive {
    let primitive: dnnl_primitive_t
    private let descriptor: dnnl_primitive_desc_t

    /// Nil where oneDNN has no such primitive.
    ///
    /// - Parameter descriptor: a primitive descriptor, which the object then owns.
    init?(owning descriptor: dnnl_primitive_desc_t) {
        var primitive: dnnl_primitive_t?
        guard
            OneDNNThreads.single({ dnnl_primitive_create(&primitive, descriptor) }) == dnnl_success
        else {
            dnnl_primitive_desc_destroy(descriptor)
            return nil
        }
        self.primitive = primitive!
        self.descriptor = descriptor
    }

    deinit {
        dnnl_primitive_destroy(primitive)
        dnnl_primitive_desc_destroy(descriptor)
    }

    /// The layout of an argument as the primitive wants it.
    func layout(_ query: dnnl_query_t) -> dnnl_memory_desc_t {
        dnnl_primitive_desc_query_md(descriptor, query, 0)!.pointee
    }

    /// Bytes of working memory that a run needs.
    var scratchpadBytes: Int {
        dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0).map {
            dnnl_memory_desc_get_size($0)
        } ?? 0
    }

    /// The descriptor of a primitive whose working memory the caller provides, from an operation's
    /// descriptor; nil where oneDNN has no implementation.
    ///
    /// - Parameters:
    ///   - postOperations: what is done to results before they are stored.
    ///   - accepts: which of oneDNN's implementations, by their names, will do; without any such, the
    ///     first one does.
    static func descriptor(
        _ operation: UnsafeRawPointer, _ postOperations: dnnl_post_ops_t? = nil,
        accepts: (String) -> Bool = { _ in true }
    ) -> dnnl_primitive_desc_t? {
        var attributes: dnnl_primitive_attr_t?
        dnnl_primitive_attr_create(&attributes)
        defer { dnnl_primitive_attr_destroy(attributes) }
        dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user)
        if let postOperations { dnnl_primitive_attr_set_post_ops(attributes, postOperations) }
        return OneDNNThreads.single {
            var iterator: dnnl_primitive_desc_iterator_t?
            guard
                dnnl_primitive_desc_iterator_create(
                    &iterator, operation, attributes, OneDNN.engine, nil) == dnnl_success
            else { return nil }
            defer { dnnl_primitive_desc_iterator_destroy(iterator) }
            let first = dnnl_primitive_desc_iterator_fetch(iterator)
            var candidate = first
            while let found = candidate {
                if accepts(implementation(found)) {
                    if found != first { dnnl_primitive_desc_destroy(first) }
                    return found
                }
                if found != first { dnnl_primitive_desc_destroy(found) }
                guard dnnl_primitive_desc_iterator_next(iterator) == dnnl_success else { break }
                candidate = dnnl_primitive_desc_iterator_fetch(iterator)
            }
            return first
        }
    }

    /// The name of a descriptor's implementation, such as `jit:avx512_core`.
    private static func implementation(_ descriptor: dnnl_primitive_desc_t) -> String {
        var name: UnsafePointer<CChar>?
        dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &name)
        return name.map { String(cString: $0) } ?? ""
    }

    /// A copy from one layout, or type, to another.
    static func reorder(_ from: dnnl_memory_desc_t, _ to: dnnl_memory_desc_t) -> OneDNNPrimitive? {
        var (from, to) = (from, to)
        var attributes: dnnl_primitive_attr_t?
        dnnl_primitive_attr_create(&attributes)
        defer { dnnl_primitive_attr_destroy(attributes) }
        dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user)
        var descriptor: dnnl_primitive_desc_t?
        let status = OneDNNThreads.single {
            dnnl_reorder_primitive_desc_create(
                &descriptor, &from, OneDNN.engine, &to, OneDNN.engine, attributes)
        }
        return status == dnnl_success ? OneDNNPrimitive(owning: descriptor!) : nil
    }
}

/// A primitive with arguments: what one worker at a time may run. Making it allocates, running it does not.
final class OneDNNCall {
    private let primitive: OneDNNPrimitive
    private let stream: dnnl_stream_t
    private let arguments: UnsafeMutableBufferPointer<dnnl_exec_arg_t>
    private let addresses: UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>
    private let hasScratchpad: Bool

    /// - Parameter arguments: the roles and layouts of the tensors; `run` takes their addresses in this
    ///   order.
    init(_ primitive: OneDNNPrimitive, _ layouts: [(role: CInt, layout: dnnl_memory_desc_t)]) {
        self.primitive = primitive
        var stream: dnnl_stream_t?
        OneDNN.check(
            dnnl_stream_create(&stream, OneDNN.engine, UInt32(dnnl_stream_default_flags.rawValue)),
            "no stream")
        self.stream = stream!
        hasScratchpad = primitive.scratchpadBytes > 0
        let scratchpad =
            hasScratchpad
            ? [
                (
                    role: CInt(DNNL_ARG_SCRATCHPAD),
                    layout: primitive.layout(dnnl_query_scratchpad_md)
                )
            ]
            : []
        let all = layouts + scratchpad
        arguments = .allocate(capacity: all.count)
        addresses = .allocate(capacity: all.count)
        addresses.initialize(repeating: nil)
        for (index, argument) in all.enumerated() {
            var (layout, memory) = (argument.layout, dnnl_memory_t?.none)
            OneDNN.check(
                dnnl_memory_create(&memory, &layout, OneDNN.engine, nil), "no memory object")
            arguments.initializeElement(
                at: index, to: dnnl_exec_arg_t(arg: argument.role, memory: memory))
        }
    }

    deinit {
        for argument in arguments { dnnl_memory_destroy(argument.memory) }
        arguments.deallocate()
        addresses.deallocate()
        dnnl_stream_destroy(stream)
    }

    /// Says where an argument lies, by its position among the layouts.
    @inline(__always)
    func bind(_ index: Int, _ address: UnsafeMutableRawPointer) {
        // Setting an address also clears the padding of a blocked layout: only where it is new.
        guard addresses[index] != address else { return }
        addresses[index] = address
        dnnl_memory_set_data_handle(arguments[index].memory, address)
    }

    /// Runs the primitive on the bound arguments, with working memory of at least `scratchpadBytes`.
    @inline(__always)
    func run(workspace: UnsafeMutableRawPointer) {
        if hasScratchpad { bind(arguments.count - 1, workspace) }
        let status = dnnl_primitive_execute(
            primitive.primitive, stream, CInt(arguments.count), arguments.baseAddress)
        OneDNN.check(status, "a primitive failed")
    }
}
