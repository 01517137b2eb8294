/** A user's notes, and what the write API refused of them. */
export const NOTES_STREAMS = `
config:
  edition: 3
streams:
  notes:
    auto_subscribe: true
    query: SELECT * FROM notes WHERE owner = auth.user_id()
  refused:
    auto_subscribe: true
    query: SELECT * FROM sluice_rejected_writes WHERE user_id = auth.user_id()
`;
