import type { Language } from "./language.ts";

/** What the assistant says without a model. `{tool}` stands for a tool's name. */
export interface Phrases {
  /** In `query` mode when nothing was found, where the workspace has no text of its own. */
  nothingFound: string;
  /** Under every answer that no model wrote. */
  noModel: string;
  /** In its place where there was nothing to quote. */
  onlyQuotes: string;
  /** Above the quotations of such an answer. */
  quoted: string;
  page: string;
  /** In place of an answer that would have shown its instructions. */
  keepsInstructions: string;
  /** Under an answer whose tool failed and that does not say so. */
  toolFailed: string;
  /** Under an answer that claims to have done what no tool has done. */
  nothingDone: string;
  /** When the model said nothing after its last tool. */
  noAnswer: string;
}

export const PHRASES: Readonly<Record<Language, Phrases>> = {
  en: {
    nothingFound: "There is no relevant information in this workspace to answer your query.",
    noModel: "No language model is configured: this answer only quotes the documents.",
    onlyQuotes:
      "No language model is configured, so I can only quote the documents. Ask me about something they say.",
    quoted: "The documents say:",
    page: "page",
    keepsInstructions: "I cannot share my instructions.",
    toolFailed: "Please note: “{tool}” did not succeed, so this was not done.",
    nothingDone: "Please note: no action has been carried out.",
    noAnswer: "I have no answer to that.",
  },
  it: {
    nothingFound: "In questo spazio di lavoro non ci sono informazioni utili per rispondere alla domanda.",
    noModel: "Nessun modello linguistico è configurato: questa risposta cita soltanto i documenti.",
    onlyQuotes:
      "Nessun modello linguistico è configurato, quindi posso soltanto citare i documenti. Mi chieda qualcosa che vi si legge.",
    quoted: "Nei documenti si legge:",
    page: "pagina",
    keepsInstructions: "Non posso condividere le mie istruzioni.",
    toolFailed: "Attenzione: «{tool}» non è riuscito, quindi l’operazione non è stata eseguita.",
    nothingDone: "Attenzione: nessuna operazione è stata eseguita.",
    noAnswer: "Non ho una risposta a questa domanda.",
  },
  de: {
    nothingFound: "In diesem Arbeitsbereich gibt es keine Informationen, die Ihre Frage beantworten.",
    noModel: "Es ist kein Sprachmodell eingerichtet: Diese Antwort zitiert nur die Dokumente.",
    onlyQuotes:
      "Es ist kein Sprachmodell eingerichtet, ich kann daher nur aus den Dokumenten zitieren. Fragen Sie nach etwas, das darin steht.",
    quoted: "In den Dokumenten steht:",
    page: "Seite",
    keepsInstructions: "Meine Anweisungen kann ich nicht weitergeben.",
    toolFailed: "Hinweis: „{tool}“ ist fehlgeschlagen, es wurde also nicht ausgeführt.",
    nothingDone: "Hinweis: Es wurde nichts ausgeführt.",
    noAnswer: "Darauf habe ich keine Antwort.",
  },
  fr: {
    nothingFound:
      "Cet espace de travail ne contient aucune information permettant de répondre à la question.",
    noModel: "Aucun modèle de langage n’est configuré : cette réponse ne fait que citer les documents.",
    onlyQuotes:
      "Aucun modèle de langage n’est configuré, je peux donc seulement citer les documents. Posez une question sur leur contenu.",
    quoted: "On lit dans les documents :",
    page: "page",
    keepsInstructions: "Je ne peux pas communiquer mes instructions.",
    toolFailed: "À noter : « {tool} » a échoué, l’action n’a donc pas été effectuée.",
    nothingDone: "À noter : aucune action n’a été effectuée.",
    noAnswer: "Je n’ai pas de réponse à cette question.",
  },
  es: {
    nothingFound: "En este espacio de trabajo no hay información relevante para responder a la consulta.",
    noModel: "No hay ningún modelo de lenguaje configurado: esta respuesta solo cita los documentos.",
    onlyQuotes:
      "No hay ningún modelo de lenguaje configurado, así que solo puedo citar los documentos. Pregunte por algo que digan.",
    quoted: "En los documentos se lee:",
    page: "página",
    keepsInstructions: "No puedo compartir mis instrucciones.",
    toolFailed: "Atención: «{tool}» ha fallado, así que no se ha realizado.",
    nothingDone: "Atención: no se ha realizado ninguna acción.",
    noAnswer: "No tengo respuesta para eso.",
  },
  pt: {
    nothingFound: "Neste espaço de trabalho não há informação relevante para responder à pergunta.",
    noModel: "Nenhum modelo de linguagem está configurado: esta resposta apenas cita os documentos.",
    onlyQuotes:
      "Nenhum modelo de linguagem está configurado, por isso só posso citar os documentos. Pergunte sobre algo que eles digam.",
    quoted: "Nos documentos lê-se:",
    page: "página",
    keepsInstructions: "Não posso partilhar as minhas instruções.",
    toolFailed: "Atenção: «{tool}» falhou, portanto nada foi feito.",
    nothingDone: "Atenção: nenhuma ação foi realizada.",
    noAnswer: "Não tenho resposta para isso.",
  },
  nl: {
    nothingFound: "In deze werkruimte staat geen informatie die uw vraag beantwoordt.",
    noModel: "Er is geen taalmodel ingesteld: dit antwoord citeert alleen de documenten.",
    onlyQuotes:
      "Er is geen taalmodel ingesteld, dus ik kan alleen uit de documenten citeren. Vraag naar iets dat erin staat.",
    quoted: "In de documenten staat:",
    page: "pagina",
    keepsInstructions: "Mijn instructies kan ik niet delen.",
    toolFailed: "Let op: „{tool}” is mislukt, het is dus niet uitgevoerd.",
    nothingDone: "Let op: er is niets uitgevoerd.",
    noAnswer: "Daar heb ik geen antwoord op.",
  },
};
