// A conversation as one text, with the places of what the assistant said.

/** Places in UTF-16 code units of the text. */
export interface AssistantPart {
  /** First character that belongs to the assistant's message, its header included where the template has one. */
  start: number;
  /** First character after the header: where generation would have started. */
  contentStart: number;
  /** After the last character. */
  end: number;
}

export interface RenderedConversation {
  text: string;
  /** In order, without overlap. */
  assistantParts: AssistantPart[];
}
