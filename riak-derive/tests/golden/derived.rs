// What #[derive(RiakMessage)] writes: see src/golden.rs.

// #[riak(code = 232, response = PriceResp, retry = "safe", borrowed = PriceReqRef)]
// struct PriceReq {
//     #[riak(tag = 1)]
//     items: Vec<Item>,
//     #[riak(tag = 2, default = "EUR")]
//     currency: Option<Blob>,
//     #[riak(tag = 3, secret)]
//     token: Option<String>,
//     #[riak(tag = 4, timeout)]
//     timeout: Option<u32>,
//     #[riak(unknown)]
//     unknown_fields: UnknownFields,
// }
const _: () = {
    use ::core::fmt;
    use ::core::option::Option::Some;
    use ::core::result::Result;
    use ::core::result::Result::Ok;
    use ::riak_runtime::{Coded, Decode, DecodeError, Message, Owned, wire};
    use ::riak_runtime::debug::Secret;
    use ::riak_runtime::wire::{Reads as _, Writes as _};
    impl<'a> ::riak_runtime::forms::OwnedForm<PriceReqRef<'a>> for PriceReq {}
    const _: () = {
        const FORM: ::riak_runtime::forms::Members = <PriceReqRef<
            'static,
        > as ::riak_runtime::forms::BorrowedForm<PriceReq>>::MEMBERS;
        const _: () = ::core::assert!(
            ::riak_runtime::forms::has_member(FORM, "items", "1: repeated message"),
            "`items` is `1: repeated message` here, and not in the other form: give it the same number, wire type, label and default in both, or `skip` it in both"
        );
        const _: () = ::core::assert!(
            ::riak_runtime::forms::has_member(FORM, "currency",
            "2: optional bytes = \"EUR\""),
            "`currency` is `2: optional bytes = \"EUR\"` here, and not in the other form: give it the same number, wire type, label and default in both, or `skip` it in both"
        );
        const _: () = ::core::assert!(
            ::riak_runtime::forms::has_member(FORM, "token", "3: optional string"),
            "`token` is `3: optional string` here, and not in the other form: give it the same number, wire type, label and default in both, or `skip` it in both"
        );
        const _: () = ::core::assert!(
            ::riak_runtime::forms::has_member(FORM, "timeout", "4: optional uint32"),
            "`timeout` is `4: optional uint32` here, and not in the other form: give it the same number, wire type, label and default in both, or `skip` it in both"
        );
        const _: () = ::core::assert!(
            ::riak_runtime::forms::has_member(FORM, "", "code = 232"),
            "this form has code = 232, and the other does not: declare the same in both"
        );
        const _: () = ::core::assert!(
            FORM.len() <= 5usize,
            "the other form has fields that this one lacks: declare them in both, or `skip` them in both"
        );
    };
    impl fmt::Debug for PriceReq {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("PriceReq")
                .field("items", &self.items)
                .field("currency", &self.currency)
                .field("token", &Secret)
                .field("timeout", &self.timeout)
                .field("unknown_fields", &self.unknown_fields)
                .finish()
        }
    }
    impl PriceReq {
        /// Returns `currency`, or its default `b"EUR"` if it is absent.
        #[must_use]
        pub fn currency(&self) -> &[u8] {
            self.currency.as_deref().unwrap_or(b"EUR")
        }
    }
    impl Message for PriceReq {
        const NAME: &'static str = "PriceReq";
        #[inline]
        fn encode<'w>(&self, out: wire::Writer<'w>) -> wire::Writer<'w> {
            let out = wire::put_repeated_message(0x0a, &self.items, out);
            let out = wire::Bytes::put_optional(0x12, &self.currency, out);
            let out = wire::Text::put_optional(0x1a, &self.token, out);
            let out = wire::Uint32::put_optional(0x20, &self.timeout, out);
            self.unknown_fields.put(out)
        }
    }
    impl<'a> Decode<'a> for PriceReq {
        #[inline]
        fn merge(
            &mut self,
            mut input: wire::Reader<'a>,
            ctx: &mut wire::Context<'a>,
        ) -> Result<(), DecodeError> {
            while let Some(tag) = input.tag(ctx)? {
                match tag {
                    0x0a => {
                        wire::read_repeated_message(
                            0x0a,
                            &mut self.items,
                            &mut input,
                            ctx,
                        )?
                    }
                    0x12 => {
                        wire::Bytes::set_optional(&mut self.currency, &mut input, ctx)?
                    }
                    0x1a => self.token = Some(wire::Text::read(&mut input, ctx)?),
                    0x20 => self.timeout = Some(wire::Uint32::read(&mut input, ctx)?),
                    _ => {
                        wire::read_unknown(
                            tag,
                            &mut self.unknown_fields,
                            &mut input,
                            ctx,
                        )?
                    }
                }
            }
            Ok(())
        }
    }
    impl Owned for PriceReq {
        type Ref<'a> = PriceReqRef<'a>;
        fn shorten<'short, 'long: 'short>(
            view: &'short Self::Ref<'long>,
        ) -> &'short Self::Ref<'short> {
            view
        }
    }
    impl Coded for PriceReq {
        const CODE: u8 = 232;
    }
};
const _: () = {
    use ::core::option::Option::{None, Some};
    use ::core::time::Duration;
    use ::riak_runtime::{Coded, Operation, Owned, Request};
    use ::riak_runtime::operation::{Absent, Cost, ErrorFrame, Mode, Retry};
    impl Request for PriceReq {
        type Owned = Self;
        type Response = PriceResp;
        const OPERATION: &'static Operation = &Operation {
            name: "PriceReq",
            request: 232,
            response: <PriceResp as Coded>::CODE,
            alternatives: &[],
            error: Some(ErrorFrame::RIAK),
            mode: Mode::Unary,
            cost: Cost::Unary,
            retry: Retry::Safe,
            absent: Absent::Defaults,
            bodyless: false,
            handshake: false,
            since: None,
            served_by: None,
            timeout: Some(4),
        };
        fn server_timeout(&self) -> ::core::option::Option<Duration> {
            self.timeout.map(|millis| Duration::from_millis(u64::from(millis)))
        }
    }
};

// #[riak(owned = Item)]
// struct ItemRef<'a> {
//     #[riak(tag = 1)]
//     name: &'a [u8],
//     #[riak(tag = 2, packed)]
//     sizes: Vec<u32>,
//     #[riak(tag = 3, enum)]
//     color: Option<Color>,
//     #[riak(oneof, tags(4, 5))]
//     origin: Option<Origin<'a>>,
// }
const _: () = {
    use ::core::option::Option::Some;
    use ::core::result::Result;
    use ::core::result::Result::Ok;
    use ::riak_runtime::{Decode, DecodeError, Message, View, wire};
    use ::riak_runtime::wire::{Reads as _, Writes as _};
    const _: () = ::core::assert!(
        ::riak_runtime::wire::has_numbers(< Origin < '_ > as ::riak_runtime::wire::Oneof
        > ::NUMBERS, & [4, 5]),
        "`tags(…)` has to have the numbers of all variants of the oneof, and no others",
    );
    impl<'a> ::riak_runtime::forms::BorrowedForm<Item> for ItemRef<'a> {
        const MEMBERS: ::riak_runtime::forms::Members = &[
            ("name", "1: required bytes"),
            ("sizes", "2: packed uint32"),
            ("color", "3: optional enum"),
            ("origin", "oneof"),
            ("", "no code"),
        ];
    }
    impl Message for ItemRef<'_> {
        const NAME: &'static str = "Item";
        #[inline]
        fn at_least(&self) -> usize {
            wire::Bytes::at_least(&self.name)
        }
        #[inline]
        fn encode<'w>(&self, out: wire::Writer<'w>) -> wire::Writer<'w> {
            let out = wire::Bytes::put(0x0a, &self.name, out);
            let out = wire::Uint32::put_packed(0x12, &self.sizes, out);
            let out = wire::Enum::put_optional(0x18, &self.color, out);
            wire::put_oneof(&self.origin, out)
        }
    }
    impl<'a> Decode<'a> for ItemRef<'a> {
        #[inline]
        fn merge(
            &mut self,
            mut input: wire::Reader<'a>,
            ctx: &mut wire::Context<'a>,
        ) -> Result<(), DecodeError> {
            let mut missing = ctx.missing(0b1);
            while let Some(tag) = input.tag(ctx)? {
                match tag {
                    0x0a => {
                        self.name = wire::Bytes::read(&mut input, ctx)?;
                        missing &= !1;
                    }
                    0x10 => {
                        wire::Uint32::read_repeated(
                            0x10,
                            &mut self.sizes,
                            &mut input,
                            ctx,
                        )?
                    }
                    0x12 => wire::Uint32::read_packed(&mut self.sizes, &mut input, ctx)?,
                    0x18 => {
                        if let Some(value) = wire::read_closed(
                            0x18,
                            &mut wire::Ignore,
                            &mut input,
                            ctx,
                        )? {
                            self.color = Some(value);
                        }
                    }
                    _ if wire::read_oneof(
                        tag,
                        &mut self.origin,
                        &mut wire::Ignore,
                        &mut input,
                        ctx,
                    )? => {}
                    _ => wire::read_unknown(tag, &mut wire::Ignore, &mut input, ctx)?,
                }
            }
            if missing != 0 {
                ctx.lacks(0, "Item", &["name"], missing)?;
            }
            Ok(())
        }
    }
    impl View for ItemRef<'_> {
        type Owned = Item;
        fn owned(&self) -> Item {
            Item {
                name: (&*self.name).into(),
                sizes: self.sizes.clone(),
                color: self.color,
                origin: self.origin.as_ref().map(View::owned),
            }
        }
    }
};

// struct Page<T>(#[riak(tag = 1)] Vec<T>, #[riak(tag = 2, uint64, with = "millis")] Option<SystemTime>);
const _: () = {
    use ::core::option::Option::Some;
    use ::core::result::Result;
    use ::core::result::Result::Ok;
    use ::riak_runtime::{Decode, DecodeError, Message, Owned, View, wire};
    use ::riak_runtime::wire::{Reads as _, Writes as _};
    enum With0 {}
    impl ::riak_runtime::wire::Writes<SystemTime> for With0 {
        #[inline]
        fn write<'w>(
            value: &SystemTime,
            out: ::riak_runtime::wire::Writer<'w>,
        ) -> ::riak_runtime::wire::Writer<'w> {
            <::riak_runtime::wire::Uint64 as ::riak_runtime::wire::Writes<
                u64,
            >>::write(&millis::to_wire(value), out)
        }
        #[inline]
        fn is_zero(value: &SystemTime) -> bool {
            <::riak_runtime::wire::Uint64 as ::riak_runtime::wire::Writes<
                u64,
            >>::is_zero(&millis::to_wire(value))
        }
    }
    impl<'wire> ::riak_runtime::wire::Reads<'wire, SystemTime> for With0 {
        #[inline]
        fn read(
            input: &mut ::riak_runtime::wire::Reader<'wire>,
            ctx: &mut ::riak_runtime::wire::Context<'wire>,
        ) -> ::core::result::Result<SystemTime, ::riak_runtime::DecodeError> {
            let value = <::riak_runtime::wire::Uint64 as ::riak_runtime::wire::Reads<
                'wire,
                u64,
            >>::read(input, ctx)?;
            millis::from_wire(value).ok_or_else(|| ctx.refuse(input, "field_1"))
        }
    }
    impl<T> Message for Page<T>
    where
        T: Message,
    {
        const NAME: &'static str = "Page";
        #[inline]
        fn encode<'w>(&self, out: wire::Writer<'w>) -> wire::Writer<'w> {
            let out = wire::put_repeated_message(0x0a, &self.0, out);
            With0::put_optional(0x10, &self.1, out)
        }
    }
    impl<'a, T> Decode<'a> for Page<T>
    where
        T: Decode<'a>,
        Self: ::core::default::Default,
    {
        #[inline]
        fn merge(
            &mut self,
            mut input: wire::Reader<'a>,
            ctx: &mut wire::Context<'a>,
        ) -> Result<(), DecodeError> {
            while let Some(tag) = input.tag(ctx)? {
                match tag {
                    0x0a => {
                        wire::read_repeated_message(0x0a, &mut self.0, &mut input, ctx)?
                    }
                    0x10 => self.1 = Some(With0::read(&mut input, ctx)?),
                    _ => wire::read_unknown(tag, &mut wire::Ignore, &mut input, ctx)?,
                }
            }
            Ok(())
        }
    }
    impl<T> Owned for Page<T>
    where
        Self: for<'a> Decode<'a> + Send + Sync + 'static,
    {
        type Ref<'a> = Self;
        fn shorten<'short, 'long: 'short>(
            view: &'short Self::Ref<'long>,
        ) -> &'short Self::Ref<'short> {
            view
        }
    }
    impl<T> View for Page<T>
    where
        T: Message,
        for<'view> Self: ::core::clone::Clone,
    {
        type Owned = Self;
        fn owned(&self) -> Self {
            ::core::clone::Clone::clone(self)
        }
    }
};

// #[riak(oneof)]
// enum Origin<'a> {
//     #[riak(tag = 4)]
//     Country(&'a str),
//     #[riak(tag = 5)]
//     Shelf(u32),
// }
const _: () = {
    use ::core::option::Option;
    use ::core::option::Option::Some;
    use ::core::result::Result;
    use ::core::result::Result::Ok;
    use ::riak_runtime::{Decode, DecodeError, Message, wire};
    use ::riak_runtime::wire::{Reads as _, Writes as _};
    impl wire::Oneof for Origin<'_> {
        const NUMBERS: &'static [::core::primitive::u32] = &[4, 5];
        #[inline]
        fn encode<'w>(&self, out: wire::Writer<'w>) -> wire::Writer<'w> {
            match self {
                Self::Country(value) => wire::Text::put(0x22, value, out),
                Self::Shelf(value) => wire::Uint32::put(0x28, value, out),
            }
        }
    }
    impl<'a> wire::ReadOneof<'a> for Origin<'a> {
        fn merge_field(
            place: &mut Option<Self>,
            tag: ::core::primitive::u32,
            _unknown: &mut impl wire::KeepUnknown<'a>,
            mut input: &mut wire::Reader<'a>,
            ctx: &mut wire::Context<'a>,
        ) -> Result<::core::primitive::bool, DecodeError> {
            match tag {
                0x22 => *place = Some(Self::Country(wire::Text::read(&mut input, ctx)?)),
                0x28 => *place = Some(Self::Shelf(wire::Uint32::read(&mut input, ctx)?)),
                _ => return Ok(false),
            }
            Ok(true)
        }
    }
};

// #[riak(enum)]
// enum Color {
//     Red = 1,
//     Green,
// }
const _: () = {
    use ::core::option::Option;
    use ::core::option::Option::{None, Some};
    use ::riak_runtime::wire;
    impl wire::Enumeration for Color {
        #[inline]
        fn number(self) -> i32 {
            self as i32
        }
        #[inline]
        fn from_number(number: i32) -> Option<Self> {
            Some(
                match number {
                    1 => Self::Red,
                    2 => Self::Green,
                    _ => return None,
                },
            )
        }
    }
};

// #[riak(frames)]
// enum AnyShop {
//     PriceReq(PriceReq),
//     PriceResp(PriceResp),
// }
const _: () = {
    const _: () = ::core::assert!(
        < PriceResp as ::riak_runtime::Coded > ::CODE != < PriceReq as
        ::riak_runtime::Coded > ::CODE,
        "`PriceResp` has the code of an earlier message of the set: give one of the two another, `#[riak(code = …)]`"
    );
    impl AnyShop {
        /// Decodes a frame by its code.
        ///
        /// # Errors
        ///
        /// If the set has no message with the code, or the body is no
        /// such message.
        fn decode(
            frame: &::riak_runtime::Frame,
        ) -> ::core::result::Result<Self, ::riak_runtime::DecodeError> {
            <Self as ::riak_runtime::Answer>::from_frame(frame)
        }
        /// The message's code.
        #[must_use]
        const fn code(&self) -> u8 {
            match self {
                Self::PriceReq(_) => <PriceReq as ::riak_runtime::Coded>::CODE,
                Self::PriceResp(_) => <PriceResp as ::riak_runtime::Coded>::CODE,
            }
        }
        /// Appends the message as a frame.
        ///
        /// # Errors
        ///
        /// If it is too long for one.
        fn write_to(
            &self,
            buffer: &mut ::riak_runtime::WriteBuffer,
        ) -> ::core::result::Result<(), ::riak_runtime::FrameError> {
            let code = self.code();
            match self {
                Self::PriceReq(message) => buffer.push(code, message),
                Self::PriceResp(message) => buffer.push(code, message),
            }
        }
    }
    impl ::riak_runtime::Answer for AnyShop {
        fn from_frame_within(
            frame: &::riak_runtime::Frame,
            limits: &::riak_runtime::DecodeLimits,
        ) -> ::core::result::Result<Self, ::riak_runtime::DecodeError> {
            ::core::result::Result::Ok(
                match frame.code {
                    <PriceReq as ::riak_runtime::Coded>::CODE => {
                        Self::PriceReq(frame.decode_within(limits)?)
                    }
                    <PriceResp as ::riak_runtime::Coded>::CODE => {
                        Self::PriceResp(frame.decode_within(limits)?)
                    }
                    code => {
                        let kind = ::riak_runtime::DecodeErrorKind::UnexpectedCode {
                            code,
                        };
                        return ::core::result::Result::Err(
                            ::riak_runtime::DecodeError::new(kind, 0),
                        );
                    }
                },
            )
        }
    }
    impl ::core::convert::From<PriceReq> for AnyShop {
        fn from(message: PriceReq) -> Self {
            Self::PriceReq(message)
        }
    }
    impl ::core::convert::From<PriceResp> for AnyShop {
        fn from(message: PriceResp) -> Self {
            Self::PriceResp(message)
        }
    }
};
