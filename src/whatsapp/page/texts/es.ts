import type { Texts } from "./en.ts";

export const es: Texts = {
  title: "Conecta WhatsApp",
  titleAgain: "Vuelve a conectar WhatsApp",
  intro: "Tu asistente responderá a quienes escriban a tu número de WhatsApp de empresa.",
  account: "Cuenta",
  workspace: "Asistente",
  number: "Número",
  grantsTitle: "Lo que autorizas",
  grantMessages: "Recibir los mensajes enviados a este número y responderlos",
  grantManage: "Registrar el número en Meta y mantener la conexión en marcha",
  grantStatus: "Ver el nombre, la calidad y el estado del número",
  grantCoexistence: "Saber cuándo respondes tú desde la app WhatsApp Business, y hacerse a un lado",
  grantNothingElse: "Sin acceso a chats privados, contraseñas ni datos de pago",
  needs:
    "Ten a mano tu acceso a Facebook y un número de teléfono que reciba SMS o llamadas. Se tarda unos cinco minutos.",
  needsCoexistence:
    "Ten a mano tu acceso a Facebook y el teléfono con la app WhatsApp Business. Se tarda unos cinco minutos.",
  start: "Continuar con Meta",
  onlyIfYours: "Continúa solo si has llegado aquí desde {account} por tu cuenta.",
  validUntil: "Este enlace es válido hasta las {time}. Puedes desconectar cuando quieras.",
  noScript: "Esta página necesita JavaScript. Actívalo en el navegador y vuelve a cargar la página.",

  signupTitle: "Sigue en la ventana de Meta",
  signupText: "Sigue allí los pasos. Esta página avanza sola en cuanto termines.",
  signupSilent: "¿Ha desaparecido la ventana o no pasa nada? Empieza de nuevo o usa otra pestaña.",
  startAgain: "Empezar de nuevo",
  newTab: "Abrir en otra pestaña",
  elsewhereTitle: "Sigue en la otra pestaña",
  elsewhereText: "Deja abierta esta página: mostrará el resultado en cuanto termines allí.",

  workingTitle: "Conectando tu número",
  workingText: "Tarda unos segundos. Deja abierta esta página.",
  stepSignup: "Sesión iniciada con Meta",
  stepSetup: "Comprobando el acceso y configurando el número",
  stepReady: "Listo para responder",

  chooseTitle: "¿A qué número debe responder el asistente?",
  chooseText: "Tu cuenta de WhatsApp tiene varios números.",
  chooseAction: "Usar este número",
  pinTitle: "Introduce el PIN del número",
  pinText:
    "Este número está protegido con la verificación en dos pasos. Introduce su PIN de seis cifras; puedes cambiarlo en WhatsApp Manager.",
  pinLabel: "PIN de seis cifras",
  pinWrong:
    "Ese PIN no es correcto. Tras varios intentos fallidos, Meta bloquea el número durante un tiempo.",
  pinAction: "Continuar",
  sixDigits: "Introduce exactamente seis cifras.",
  verifyTitle: "Confirma tu número",
  verifyText: "Meta envía un código de seis cifras a {number}. ¿Cómo quieres recibirlo?",
  verifySms: "SMS",
  verifyVoice: "Llamada",
  verifySent: "El código está en camino. Introdúcelo aquí:",
  verifyLabel: "Código de seis cifras",
  verifyAction: "Confirmar",
  verifyWrong: "El código no se ha aceptado. Compruébalo o pide que te envíen otro.",

  waitingTitle: "Meta está revisando el nombre visible",
  waitingText:
    "Por tu parte está todo hecho. Meta suele decidir en un día; después el número se activa solo. Puedes cerrar esta página.",
  waitingOtherTitle: "Meta pide esperar",
  waitingOtherText:
    "Meta necesita algo de tiempo antes del siguiente paso. Esta página lo intenta de nuevo sola; también puedes volver más tarde.",
  checkAgain: "Comprobar de nuevo",

  connectedTitle: "WhatsApp está conectado",
  connectedText: "El asistente ya responde a los mensajes enviados a {number}.",
  connectedPlain: "El asistente ya responde a los mensajes enviados a tu número.",
  connectedPayment:
    "Añade un método de pago en WhatsApp Manager para que Meta entregue todas las respuestas.",
  connectedClose: "Puedes cerrar esta página.",

  problemTitle: "No ha funcionado",
  tryAgain: "Intentar de nuevo",
  reference: "Referencia para soporte: {reference}",
  cancelled: "Cerraste la ventana de Meta antes de terminar. No se ha cambiado nada.",
  popupDead:
    "El navegador, o el sitio que rodea esta página, impide que la ventana de Meta se comunique con nosotros. En otra pestaña funciona.",
  sdkMissing:
    "No se pudo cargar el registro de Meta; quizá por un bloqueador de anuncios. En otra pestaña funciona.",
  noCode: "Meta ha terminado, pero no nos ha comunicado el resultado. Continúa en otra pestaña.",
  metaReported: "Meta ha informado de un problema durante el registro.",
  offline: "No podemos conectar. Comprueba tu conexión e inténtalo de nuevo.",
  unexpected: "Ha ocurrido algo inesperado. Inténtalo de nuevo.",
  newCode: "La confirmación de Meta solo valía medio minuto y ha caducado. Haz el registro otra vez.",
  numberMissing: "Tu cuenta de WhatsApp aún no tiene ningún número. Haz el registro otra vez y añade uno.",
  numberInUse: "Este número ya está conectado en otro lugar. Desconéctalo allí primero o elige otro.",
  alreadyConnected: "Este asistente ya tiene un número de WhatsApp. Desconecta ese primero.",
  wrongNumber: "Se esperaba otro número: {number}. Haz el registro otra vez y elige ese.",
  noAccess: "Meta no ha dado acceso a esta cuenta. Haz el registro otra vez y autoriza todo lo que se pide.",
  notEligible: "Meta no permite conectar aquí este número o esta cuenta.",
  blocked: "Meta no permite por ahora que esta cuenta envíe mensajes. WhatsApp Manager indica el motivo.",
  locked: "Meta ha bloqueado el registro de este número hasta tres días, porque se intentó demasiadas veces.",
  metaDown: "Meta no responde bien en este momento. Inténtalo de nuevo en un minuto.",
  busy: "La conexión ya se está configurando, quizá en otra pestaña. Un momento, por favor.",
  noStorage:
    "El navegador no deja que esta página recuerde nada de camino a Meta. Permite los datos de sitios y vuelve a intentarlo.",
  foreignReturn: "Este registro no empezó en esta pestaña. Vuelve a donde empezaste e inténtalo de nuevo.",

  usedTitle: "Este enlace ya se ha usado",
  usedText: "Cada enlace conecta un número. Para otro, pide un enlace nuevo donde encontraste este.",
  expiredTitle: "Este enlace ha caducado",
  expiredText: "Por tu seguridad, los enlaces duran poco. Vuelve atrás y abre la conexión de nuevo.",
  revokedTitle: "Este enlace ya no es válido",
  revokedText:
    "Se ha sustituido por uno más reciente o se ha retirado. Vuelve atrás y abre la conexión de nuevo.",
  unknownTitle: "Este enlace no lleva a ninguna parte",
  unknownText: "Quizá se perdió una parte. Vuelve atrás y abre la conexión de nuevo.",
  misplacedTitle: "Abre esta página en su sitio",
  misplacedText: "Por tu seguridad, esta página solo funciona dentro del sitio para el que se hizo.",
  unavailableTitle: "WhatsApp no está disponible aquí",
  unavailableText: "Quien gestiona este servicio aún no ha configurado WhatsApp.",
};
