//! The agent and a real API server, with RBAC on and no kubelet (the test is the kubelet where one is needed): what the documented Role
//! permits is enough and none of it is too much, what is told there is what the wire shows, an API server that is away hurts nobody, and
//! replicas on one Secret rotate one after the other.
#![allow(clippy::unwrap_used, reason = "a scene that cannot be set fails the test where it stands")]

#[path = "kubernetes_room/order.rs"]
mod order;
#[path = "kubernetes_room/outage.rs"]
mod outage;
#[path = "kubernetes_room/permits.rs"]
mod permits;
#[path = "kubernetes_room/pod.rs"]
mod pod;
mod support;
#[path = "kubernetes_room/telling.rs"]
mod telling;
