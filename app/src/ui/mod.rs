//! The design system: components without data or behaviour.
